#include "api/ciphertext.h"

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

TEST(Ciphertext, WritesThePrefixThatItReads) { EXPECT_EQ(CiphertextPrefix(7), "vault:v7:"); }

}  // namespace
}  // namespace coffer::api
