#include "coffer/base/base64.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>
#include <string_view>
#include <vector>

namespace coffer {
namespace {

struct Pair {
  std::string_view plain;
  std::string_view encoded;
};

// RFC 4648 section 10.
constexpr Pair kVectors[] = {{"", ""},
                             {"f", "Zg=="},
                             {"fo", "Zm8="},
                             {"foo", "Zm9v"},
                             {"foob", "Zm9vYg=="},
                             {"fooba", "Zm9vYmE="},
                             {"foobar", "Zm9vYmFy"}};

TEST(Base64, EncodesTheVectorsOfTheRfc) {
  for (const Pair& pair : kVectors) {
    EXPECT_EQ(Base64Encode(AsBytes(pair.plain)), pair.encoded);
    EXPECT_EQ(Base64EncodedSize(pair.plain.size()), pair.encoded.size());
  }
}

TEST(Base64, DecodesTheVectorsOfTheRfc) {
  for (const Pair& pair : kVectors) {
    const auto decoded = Base64Decode(pair.encoded);
    ASSERT_TRUE(decoded) << pair.encoded;
    EXPECT_EQ(AsText(*decoded), pair.plain);
  }
}

TEST(Base64, BringsEveryOctetAtEveryPlaceBack) {
  for (std::size_t size = 0; size < 70; ++size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(255 - i * 7);
    EXPECT_EQ(Base64Decode(Base64Encode(bytes)).value(), bytes);
  }
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(Base64Decode(Base64Encode(all)).value(), all);
}

TEST(Base64, AgreesWithOpenSslAtEveryLength) {
  Bytes bytes;
  for (std::size_t size = 0; size < 200; ++size) {
    std::vector<unsigned char> expected(Base64EncodedSize(size) + 1);
    const int letters = ::EVP_EncodeBlock(expected.data(), bytes.data(), static_cast<int>(size));
    const std::string encoded = Base64Encode(bytes);
    ASSERT_EQ(encoded, std::string(expected.begin(), expected.begin() + letters)) << size;
    ASSERT_EQ(Base64Decode(encoded).value(), bytes) << size;
    bytes.push_back(static_cast<std::uint8_t>(size * 89 + 17));
  }
}

TEST(Base64, JudgesEveryOctetAtEveryPlaceOfALongText) {
  const std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t at = 0; at < 56; ++at) {
    for (int octet = 0; octet < 256; ++octet) {
      const char c = static_cast<char>(octet);
      if (c == '\r' || c == '\n' || c == '=') continue;
      std::string text(alphabet);
      text[at] = c;
      const auto decoded = Base64Decode(text);
      if (alphabet.find(c) != std::string_view::npos) {
        ASSERT_TRUE(decoded) << octet << " at " << at;
        ASSERT_EQ(Base64Encode(*decoded), text);
      } else {
        ASSERT_FALSE(decoded) << octet << " at " << at;
        ASSERT_EQ(decoded.error().refusal, Refusal::kNotBase64);
        ASSERT_EQ(decoded.error().arguments.given, static_cast<std::int64_t>(at));
      }
    }
  }
}

TEST(Base64, AppendKeepsWhatWasThereAndNeedsNoSecondAllocation) {
  std::string out = "vault:v1:";
  out.reserve(out.size() + Base64EncodedSize(5));
  const char* const before = out.data();
  Base64Append(AsBytes("fooba"), out);
  EXPECT_EQ(out, "vault:v1:Zm9vYmE=");
  EXPECT_EQ(out.data(), before);
}

TEST(Base64, SkipsNewlinesWhereverTheyStandAsGoDoes) {
  for (const std::string_view text :
       {"Zm9v\nYg==", "Z\r\nm9vYg==", "Zm9vYg=\n=", "Zm9vYg==\r\n", "\nZm9vYg==", "Zm9vYg\r==\n"}) {
    const auto decoded = Base64Decode(text);
    ASSERT_TRUE(decoded) << text;
    EXPECT_EQ(AsText(*decoded), "foob");
  }
  EXPECT_TRUE(Base64Decode("\r\n").value().empty());
}

TEST(Base64, DoesNotCheckTrailingBitsAsGoDoesNot) {
  EXPECT_EQ(Base64Decode("Zh==").value(), Bytes{'f'});
}

struct Bad {
  std::string_view text;
  int offset;
};

// Each offset as Go 1.26's base64.StdEncoding.DecodeString names it; the whole decoder was compared
// with it over 200,000 random inputs.
constexpr Bad kBad[] = {{"A", 0},           {"Zg", 0},        {"Zg=", 3},        {"Zm9vY", 4},
                        {"Zm9vYg", 4},      {"=", 0},         {"Z=", 1},         {"Z===", 1},
                        {"====", 0},        {"Zg==Zg==", 4},  {"Zm8=A", 4},      {"Zm8==", 4},
                        {"Zm9vYg=x", 6},    {"CC=89", 2},     {"B\rz=z", 3},     {"xx=\r8", 3},
                        {"Zm9v-_==", 4},    {"Zm 9", 2},      {"Zm9v!", 4},      {"Zm9\x80", 3},
                        {"Zm9v\nYg=\n", 9}, {"Zm9vZm9v?", 8}, {"\n\nZg==\nx", 7}};

TEST(Base64, NamesTheOctetThatGoNames) {
  for (const Bad& bad : kBad) {
    const auto decoded = Base64Decode(bad.text);
    ASSERT_FALSE(decoded) << bad.text;
    EXPECT_EQ(decoded.error().code, Code::kInvalid);
    EXPECT_EQ(decoded.error().refusal, Refusal::kNotBase64);
    EXPECT_EQ(decoded.error().arguments.given, static_cast<std::int64_t>(bad.offset)) << bad.text;
  }
}

TEST(Base64, RefusesAZeroOctet) { EXPECT_FALSE(Base64Decode(std::string_view("Zm9\0", 4))); }

TEST(Base64UrlTest, GoesBothWaysWithoutPadding) {
  const Bytes octets{0xfb, 0xff, 0xfe, 0x01};
  EXPECT_EQ(Base64UrlEncode(octets), "-__-AQ");
  EXPECT_EQ(*Base64UrlDecode("-__-AQ"), octets);
  EXPECT_EQ(Base64UrlEncode({}), "");
  EXPECT_TRUE(Base64UrlDecode("")->empty());
}

TEST(Base64UrlTest, RefusesTheStandardAlphabetPaddingAndLineEnds) {
  for (const char* text : {"+//+AQ", "-__-AQ==", "-__-A", "-__-AQ\n=", "-_ -"}) {
    EXPECT_FALSE(Base64UrlDecode(text)) << text;
  }
}

}  // namespace
}  // namespace coffer
