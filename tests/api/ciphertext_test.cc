#include "api/vault/transit/ciphertext.h"

#include <gtest/gtest.h>

namespace coffer::api {
namespace {

TEST(Ciphertext, ReadsVersionAndPayload) {
  const auto read = ParseCiphertext("vault:v12:AAEC");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, 12);
  EXPECT_EQ(read->payload, (Bytes{0, 1, 2}));
}

TEST(Ciphertext, RefusesWhatIsNoCiphertextInTheReferencesWords) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"", "invalid ciphertext: no prefix"},
      {"vault:", "invalid ciphertext: no prefix"},
      {"Vault:v1:AAEC", "invalid ciphertext: no prefix"},
      {"vault:v", "invalid ciphertext: wrong number of fields"},
      {"vault:v1", "invalid ciphertext: wrong number of fields"},
      {"vault:v:AAEC", "invalid ciphertext: version number could not be decoded"},
      {"vault:v1x:AAEC", "invalid ciphertext: version number could not be decoded"},
      {"vault:v99999999999999999999:AAEC",
       "invalid ciphertext: version number could not be decoded"},
      {"vault:v1:AAE", "invalid ciphertext: could not decode base64"},
      {"vault:v1:AA:EC", "invalid ciphertext: could not decode base64"},
      {"vault:v1:AAEC!", "invalid ciphertext: could not decode base64"},
  };
  for (const auto& item : kCases) {
    const auto read = ParseCiphertext(item.text);
    ASSERT_FALSE(read) << item.text;
    EXPECT_EQ(read.error().message, item.error) << item.text;
    EXPECT_EQ(read.error().code, Code::kInvalid);
  }
}

TEST(Ciphertext, HasOneForm) {
  EXPECT_TRUE(ParseCiphertext("vault:v0:AAE="));
  for (const char* const text : {"vault:v01:AAE=", "vault:v00:AAE=", "vault:v-0:AAE=",
                                 "vault:v+1:AAE=", "vault:v 1:AAE=", "vault:v1 :AAE="}) {
    const auto read = ParseCiphertext(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().message, "invalid ciphertext: version number could not be decoded");
  }
  for (const char* const text :
       {"vault:v1:AA\nE=", "vault:v1:AAE=\n", "vault:v1:\r\nAAE=", "vault:v1: AAE=",
        "vault:v1:AAE= ", "vault:v1:AAF=", "vault:v1:AB==", "vault:v1:A\nA=="}) {
    const auto read = ParseCiphertext(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().message, "invalid ciphertext: could not decode base64");
  }
}

TEST(Ciphertext, ASignatureHasOneFormToo) {
  EXPECT_TRUE(ParseSignature("vault:v1:AAE", "signature", true));
  EXPECT_TRUE(ParseSignature("vault:v1:AAE=", "signature", false));
  for (const char* const text : {"vault:v01:AAE", "vault:v1:AAF", "vault:v1:AB"}) {
    EXPECT_FALSE(ParseSignature(text, "signature", true)) << text;
  }
  for (const char* const text : {"vault:v01:AAE=", "vault:v1:AAE=\n", "vault:v1:AAF="}) {
    EXPECT_FALSE(ParseSignature(text, "HMAC", false)) << text;
  }
}

TEST(Ciphertext, WritesThePrefixThatItReads) { EXPECT_EQ(CiphertextPrefix(7), "vault:v7:"); }

}  // namespace
}  // namespace coffer::api
