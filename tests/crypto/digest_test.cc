#include "coffer/crypto/digest.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace coffer::crypto {
namespace {

// NIST's example values for "abc" (FIPS 180-4 and FIPS 202 examples).
struct Vector {
  std::string_view name;
  HashAlgorithm algorithm;
  std::string_view abc;
};
constexpr Vector kVectors[] = {
    {"sha1", HashAlgorithm::kSha1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"sha2-224", HashAlgorithm::kSha224,
     "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
    {"sha2-256", HashAlgorithm::kSha256,
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"sha2-384", HashAlgorithm::kSha384,
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
     "8086072ba1e7cc2358baeca134c825a7"},
    {"sha2-512", HashAlgorithm::kSha512,
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"sha3-224", HashAlgorithm::kSha3With224,
     "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"},
    {"sha3-256", HashAlgorithm::kSha3With256,
     "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    {"sha3-384", HashAlgorithm::kSha3With384,
     "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
     "98d88cea927ac7f539f1edf228376d25"},
    {"sha3-512", HashAlgorithm::kSha3With512,
     "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
     "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0"}};

TEST(Hash, GivesNistsValueForEachAlgorithm) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(ToHex(Hash(vector.algorithm, AsBytes("abc"))), vector.abc) << vector.name;
  }
}

TEST(Hash, KnowsEachAlgorithmByItsWireName) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(ParseHashAlgorithm(vector.name), vector.algorithm) << vector.name;
  }
}

TEST(Hash, KnowsNoOtherName) {
  for (const std::string_view name :
       {"", "sha256", "SHA2-256", "sha2-256 ", "md5", "sha3", "none"}) {
    EXPECT_FALSE(ParseHashAlgorithm(name)) << name;
  }
}

TEST(Hash, OfNothingIsTheKnownValue) {
  EXPECT_EQ(ToHex(Hash(HashAlgorithm::kSha256, {})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, GivesNistsValueForTwoBlocks) {
  EXPECT_EQ(ToHex(Sha256(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Stream, GivesTheSameForEveryWayToCutTheInput) {
  const std::string text(150, 'x');
  const Sha256Digest whole = Sha256(AsBytes(text));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Sha256Stream stream;
    stream.Update(AsBytes(text).first(cut));
    stream.Update({});
    stream.Update(AsBytes(text).subspan(cut));
    ASSERT_EQ(stream.Finish(), whole) << cut;
  }
  EXPECT_EQ(Sha256Stream().Finish(), Sha256({}));
}

TEST(Hash, IsSafeFromSeveralThreads) {
  std::vector<std::thread> threads;
  std::vector<std::string> answers(4);
  for (std::string& answer : answers) {
    threads.emplace_back([&answer] {
      for (int i = 0; i < 200; ++i) answer = ToHex(Hash(HashAlgorithm::kSha256, AsBytes("abc")));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& answer : answers) EXPECT_EQ(answer, kVectors[2].abc);
}

}  // namespace
}  // namespace coffer::crypto
