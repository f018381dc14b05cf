#include "coffer/crypto/rsa_padding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "fakes/counting_random.h"

namespace coffer::crypto {
namespace {

// MGF1 written a second time, from RFC 8017 B.2.1.
Bytes Mgf1(HashAlgorithm hash, Bytes seed, std::size_t octets) {
  Bytes mask;
  for (std::uint8_t counter = 0; mask.size() < octets; ++counter) {
    Bytes input = seed;
    input.insert(input.end(), {0, 0, 0, counter});
    const Bytes block = Hash(hash, input);
    mask.insert(mask.end(), block.begin(), block.end());
  }
  mask.resize(octets);
  return mask;
}

// EME-OAEP encoding (RFC 8017 7.1.1) of `data`, which is lHash || PS || 01 || M.
SecretBytes Encoded(HashAlgorithm hash, Bytes data, std::uint8_t first = 0) {
  Bytes seed(HashSize(hash), 0x42);
  const Bytes mask = Mgf1(hash, seed, data.size());
  for (std::size_t i = 0; i < data.size(); ++i) data[i] ^= mask[i];
  const Bytes seed_mask = Mgf1(hash, data, seed.size());
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] ^= seed_mask[i];
  Bytes block{first};
  block.insert(block.end(), seed.begin(), seed.end());
  block.insert(block.end(), data.begin(), data.end());
  return SecretBytes(std::move(block));
}

Bytes DataBlock(HashAlgorithm hash, std::string_view message, std::size_t octets) {
  Bytes data = Hash(hash, {});
  data.resize(octets - message.size() - 1);
  data.push_back(1);
  data.insert(data.end(), message.begin(), message.end());
  return data;
}

constexpr HashAlgorithm kSha = HashAlgorithm::kSha256;
constexpr std::size_t kData = 256 - 32 - 1;

TEST(OaepDecodeTest, GivesBackMessagesOfEveryLength) {
  for (std::size_t size = 0; size <= kData - 33; ++size) {
    std::string message(size, 'x');
    for (std::size_t i = 0; i < size; ++i) message[i] = static_cast<char>(i);
    const auto decoded = OaepDecode(kSha, Encoded(kSha, DataBlock(kSha, message, kData)));
    ASSERT_TRUE(decoded) << size;
    EXPECT_EQ(AsText(decoded->Reveal()), message);
  }
}

TEST(OaepDecodeTest, RefusesEveryFaultInTheSameWords) {
  const Bytes good = DataBlock(kSha, "message", kData);
  const auto refused = [](const SecretBytes& block) {
    const auto decoded = OaepDecode(kSha, block);
    return !decoded && decoded.error().code == Code::kAuthenticationFailed &&
           decoded.error().refusal == Refusal::kRsaDecryptionFailed;
  };
  EXPECT_TRUE(refused(Encoded(kSha, good, 1))) << "first octet";
  for (std::size_t i = 0; i < 32; ++i) {
    Bytes data = good;
    data[i] ^= 0x80;
    EXPECT_TRUE(refused(Encoded(kSha, data))) << "label " << i;
  }
  Bytes padding = good;
  padding[40] = 2;
  EXPECT_TRUE(refused(Encoded(kSha, padding))) << "a padding octet that is not zero";
  Bytes no_end(kData);
  std::ranges::copy(Hash(kSha, {}), no_end.begin());
  EXPECT_TRUE(refused(Encoded(kSha, no_end))) << "no 01";
  EXPECT_TRUE(refused(SecretBytes(65))) << "too short";
  EXPECT_TRUE(refused(SecretBytes()));
}

TEST(OaepDecodeTest, TakesTheFirstOneForTheEndOfThePadding) {
  const auto decoded =
      OaepDecode(kSha, Encoded(kSha, DataBlock(kSha, std::string("\1\0\1", 3), kData)));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(AsText(decoded->Reveal()), std::string("\1\0\1", 3));
}

TEST(PssEncodeTest, SaltsUpToTheLargestFitAndNoOthers) {
  fakes::CountingRandom random;
  const Bytes digest(32, 7);
  EXPECT_EQ(PssMaxSalt(kSha, 2048), 222);
  EXPECT_TRUE(PssEncode(kSha, digest, 222, 2048, random));
  EXPECT_TRUE(PssEncode(kSha, digest, 0, 2048, random));
  EXPECT_FALSE(PssEncode(kSha, digest, 223, 2048, random));
  EXPECT_FALSE(PssEncode(kSha, digest, -1, 2048, random));
  EXPECT_FALSE(PssEncode(kSha, Bytes(31), 20, 2048, random));
  const auto block = PssEncode(kSha, digest, 20, 2048, random);
  EXPECT_EQ(block->size(), 256U);
  EXPECT_EQ(block->back(), 0xbc);
  EXPECT_LT(block->front(), 0x80);
}

TEST(Pkcs1DigestInfoTest, HasTheStandardsPrefixes) {
  EXPECT_EQ(ToHex(Pkcs1DigestInfo(HashAlgorithm::kSha1, Bytes(20))).substr(0, 30),
            "3021300906052b0e03021a05000414");
  EXPECT_EQ(ToHex(Pkcs1DigestInfo(HashAlgorithm::kSha256, Bytes(32))).substr(0, 38),
            "3031300d060960864801650304020105000420");
  EXPECT_EQ(ToHex(Pkcs1DigestInfo(HashAlgorithm::kSha512, Bytes(64))).substr(0, 38),
            "3051300d060960864801650304020305000440");
  EXPECT_EQ(ToHex(Pkcs1DigestInfo(HashAlgorithm::kSha3With224, Bytes(28))).substr(0, 38),
            "302d300d06096086480165030402070500041c");
}

}  // namespace
}  // namespace coffer::crypto
