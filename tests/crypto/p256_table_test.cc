#include "crypto/p256_table.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "coffer/crypto/digest.h"
#include "coffer/crypto/public_key.h"
#include "fakes/software_signer.h"
#include "fakes/vectors.h"

namespace coffer::crypto {
namespace {

using fakes::FromHex;
using nlohmann::json;

// FIPS 186-4's order of P-256.
const Bytes kOrder = FromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

// The point is the last 65 octets of a P-256 key's SubjectPublicKeyInfo.
Bytes PointOf(const PublicKey& key) { return Bytes(key.Spki().end() - 65, key.Spki().end()); }

Bytes Joined(const Bytes& r, const Bytes& s) {
  Bytes out = r;
  out.insert(out.end(), s.begin(), s.end());
  return out;
}

bool Confirms(const P256Table& table, const Bytes& digest, const Bytes& signature) {
  SignedDigest one{digest, signature};
  table.Confirm({&one, 1});
  return one.confirmed;
}

class P256TableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto key = PublicKey::FromSpki(signer_.PublicKey());
    ASSERT_TRUE(key);
    key_ = *key;
    table_ = P256Table::Make(PointOf(*key_));
    ASSERT_TRUE(table_);
  }
  Bytes DigestOf(std::string_view message) const {
    const auto digest = Sha256(AsBytes(message));
    return Bytes(digest.begin(), digest.end());
  }
  // Digests and their signatures.
  std::vector<std::pair<Bytes, Bytes>> GoodOnes(std::size_t count) const {
    std::vector<std::pair<Bytes, Bytes>> made;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string message = std::to_string(i);
      made.emplace_back(DigestOf(message), signer_.Sign(AsBytes(message)));
    }
    return made;
  }
  // One of each way to be wrong.
  std::vector<std::pair<Bytes, Bytes>> BadOnes() const {
    const Bytes digest = DigestOf("x");
    const Bytes good = signer_.Sign(AsBytes("x"));
    const Bytes r(good.begin(), good.begin() + 32);
    const Bytes s(good.begin() + 32, good.end());
    Bytes flipped = good;
    flipped[40] ^= 1;
    std::vector<std::pair<Bytes, Bytes>> bad{
        {digest, flipped}, {DigestOf("y"), good}, {digest, {}}, {digest, r}};
    for (const Bytes& number : {Bytes(32), kOrder, Bytes(32, 0xff)}) {
      bad.emplace_back(digest, Joined(number, s));
      bad.emplace_back(digest, Joined(r, number));
    }
    return bad;
  }

  fakes::SoftwareSigner signer_;
  PublicKey::Shared key_;
  std::unique_ptr<P256Table> table_;
};

TEST_F(P256TableTest, ConfirmsWhatTheKeySigned) {
  for (int i = 0; i < 500; ++i) {
    const std::string message = std::to_string(i);
    const Bytes signature = signer_.Sign(AsBytes(message));
    ASSERT_TRUE(Confirms(*table_, DigestOf(message), signature)) << ToHex(signature);
  }
}

TEST_F(P256TableTest, ConfirmsNothingThatHasOneBitChanged) {
  const Bytes digest = DigestOf("x");
  const Bytes signature = signer_.Sign(AsBytes("x"));
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Bytes changed = signature;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_FALSE(Confirms(*table_, digest, changed)) << bit;
  }
  for (std::size_t bit = 0; bit < digest.size() * 8; ++bit) {
    Bytes changed = digest;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    ASSERT_FALSE(Confirms(*table_, changed, signature)) << bit;
  }
}

TEST_F(P256TableTest, ConfirmsNoNumbersOutOfRange) {
  const Bytes digest = DigestOf("x");
  const Bytes good = signer_.Sign(AsBytes("x"));
  const Bytes r(good.begin(), good.begin() + 32);
  const Bytes s(good.begin() + 32, good.end());
  const Bytes zero(32);
  const Bytes all(32, 0xff);
  Bytes one(32);
  one.back() = 1;
  for (const Bytes& bad : {zero, kOrder, all}) {
    EXPECT_FALSE(Confirms(*table_, digest, Joined(bad, s)));
    EXPECT_FALSE(Confirms(*table_, digest, Joined(r, bad)));
    EXPECT_FALSE(Confirms(*table_, digest, Joined(bad, bad)));
  }
  EXPECT_FALSE(Confirms(*table_, digest, Joined(one, one)));
  EXPECT_FALSE(Confirms(*table_, Bytes(32), Joined(zero, zero)));
  for (const std::size_t size : {0U, 32U, 63U, 65U, 128U}) {
    Bytes other = good;
    other.resize(size);
    EXPECT_FALSE(Confirms(*table_, digest, other)) << size;
  }
}

TEST_F(P256TableTest, ABatchConfirmsEachByItself) {
  const std::vector<std::pair<Bytes, Bytes>> bad = BadOnes();
  // As many as have an inversion of their own, fewer, and more than two times as many.
  for (const std::size_t size : {1U, 2U, 127U, 128U, 129U, 300U}) {
    const std::vector<std::pair<Bytes, Bytes>> good = GoodOnes(size);
    // None bad, each kind of bad alone at the start, inside and at the end, every third bad, all.
    std::vector<std::vector<bool>> patterns{std::vector<bool>(size), std::vector<bool>(size, true)};
    for (const std::size_t place : {std::size_t{0}, size / 2, size - 1}) {
      patterns.emplace_back(size).at(place) = true;
    }
    std::vector<bool>& thirds = patterns.emplace_back(size);
    for (std::size_t i = 0; i < size; i += 3) thirds.at(i) = true;
    for (std::size_t kind = 0; kind < bad.size(); ++kind) {
      for (const std::vector<bool>& pattern : patterns) {
        std::vector<SignedDigest> batch;
        for (std::size_t i = 0; i < size; ++i) {
          const auto& [digest, signature] =
              pattern.at(i) ? bad.at((kind + i) % bad.size()) : good.at(i);
          batch.push_back({digest, signature});
        }
        table_->Confirm(batch);
        for (std::size_t i = 0; i < size; ++i) {
          ASSERT_EQ(batch.at(i).confirmed, !pattern.at(i)) << kind << " " << i << " of " << size;
        }
      }
    }
  }
}

TEST_F(P256TableTest, AnEmptyBatchIsNothing) {
  table_->Confirm({});
  key_->ConfirmEcdsa({});
}

TEST_F(P256TableTest, ASignatureConfirmsOnlyTheDigestBesideIt) {
  const auto good = GoodOnes(2);
  std::vector<SignedDigest> batch{{good[0].first, good[1].second}, {good[1].first, good[0].second}};
  key_->MakeTable();
  key_->ConfirmEcdsa(batch);
  EXPECT_FALSE(batch[0].confirmed);
  EXPECT_FALSE(batch[1].confirmed);
}

TEST_F(P256TableTest, ADigestLongerThanTheCurveIsCut) {
  Bytes longer = DigestOf("x");
  const Bytes signature = signer_.Sign(AsBytes("x"));
  longer.resize(64, 0xaa);
  EXPECT_TRUE(Confirms(*table_, longer, signature));
  EXPECT_TRUE(key_->ConfirmEcdsa(longer, signature));
}

TEST_F(P256TableTest, MakesNoneOfWhatIsNoPointOnTheCurve) {
  Bytes point = PointOf(*key_);
  point.back() ^= 1;
  EXPECT_FALSE(P256Table::Make(point));
  EXPECT_FALSE(P256Table::Make({}));
  EXPECT_FALSE(P256Table::Make(Bytes(1)));  // infinity
}

TEST_F(P256TableTest, ThereAreNeverMoreThanSoMany) {
  std::vector<std::unique_ptr<P256Table>> others;
  for (int i = 1; i < P256Table::kMost; ++i) {
    others.push_back(P256Table::Make(PointOf(*key_)));
    ASSERT_TRUE(others.back()) << i;
  }
  EXPECT_FALSE(P256Table::Make(PointOf(*key_)));
  others.pop_back();
  EXPECT_TRUE(P256Table::Make(PointOf(*key_)));
}

TEST_F(P256TableTest, AKeyConfirmsTheSameWithItsTableAndWithout) {
  const Bytes digest = DigestOf("x");
  const Bytes good = signer_.Sign(AsBytes("x"));
  Bytes bad = good;
  bad[5] ^= 1;
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(key_->ConfirmEcdsa(digest, good));
    EXPECT_FALSE(key_->ConfirmEcdsa(digest, bad));
    EXPECT_FALSE(key_->ConfirmEcdsa(digest, Joined(Bytes(64), good)));
    EXPECT_FALSE(key_->ConfirmEcdsa(digest, {}));
    key_->MakeTable();
  }
}

TEST_F(P256TableTest, ATableIsDueForAKeyThatSignsMuchUntilItHasOne) {
  const Bytes digest = DigestOf("x");
  const Bytes good = signer_.Sign(AsBytes("x"));
  int due = 0;
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(key_->ConfirmEcdsa(digest, good));
    due += key_->TableIsDue() ? 1 : 0;
  }
  EXPECT_EQ(due, 2);
  key_->MakeTable();
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(key_->ConfirmEcdsa(digest, good));
    ASSERT_FALSE(key_->TableIsDue());
  }
}

TEST_F(P256TableTest, AKeyConfirmsABatchTheSameWithItsTableAndWithout) {
  const auto good = GoodOnes(5);
  const auto bad = BadOnes();
  for (int round = 0; round < 2; ++round) {
    std::vector<SignedDigest> batch;
    for (std::size_t i = 0; i < bad.size(); ++i) {
      batch.push_back({bad[i].first, bad[i].second, true});  // what stood there counts for nothing
      batch.push_back({good[i % 5].first, good[i % 5].second});
    }
    key_->ConfirmEcdsa(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(batch[i].confirmed, i % 2 == 1) << i;
    key_->MakeTable();
  }
  EXPECT_TRUE(key_->HasTable());
}

TEST_F(P256TableTest, ABatchCountsForTheTableWithAllThatItHas) {
  const auto good = GoodOnes(100);
  int due = 0;
  for (int i = 0; i < 100; ++i) {
    std::vector<SignedDigest> batch;
    for (const auto& [digest, signature] : good) batch.push_back({digest, signature});
    key_->ConfirmEcdsa(batch);
    due += key_->TableIsDue() ? 1 : 0;
  }
  EXPECT_EQ(due, 2);
}

// With a digest of 0 and r = s the point that is checked is the public one itself.
TEST_F(P256TableTest, ConfirmsAnXBeyondTheOrder) {
  const auto table =
      P256Table::Make(FromHex("04"
                              "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632554"
                              "484f0c0fda434ef0a808458914f328715d7a545e198ac7eee31dffe861b5d23f"));
  ASSERT_TRUE(table);
  Bytes rest(32);
  rest.back() = 3;  // x less the order
  EXPECT_TRUE(Confirms(*table, Bytes(32), Joined(rest, rest)));
  rest.back() ^= 1;
  EXPECT_FALSE(Confirms(*table, Bytes(32), Joined(rest, rest)));
}

// The public point is the generator, (r, s) for the digest r is (x, 2 x): both points are G / 2.
TEST_F(P256TableTest, AddsEqualPointsAndOppositeOnes) {
  const Bytes x = FromHex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
  const auto table =
      P256Table::Make(FromHex("04"
                              "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                              "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"));
  ASSERT_TRUE(table);
  const Bytes twice = FromHex("d62fa3e5c258848ff179cdcac74881e4ee06fb025bd66741e942728bb131852c");
  EXPECT_TRUE(Confirms(*table, x, Joined(x, twice)));
  const Bytes opposite = FromHex(
      "94e82e0c1ed3bdb90743191a9c5bbf0d45e37d2c792c6ae3ff18917d23ca62bb");  // the order less x
  EXPECT_FALSE(Confirms(*table, opposite, Joined(x, twice)));
}

TEST_F(P256TableTest, ThreadsConfirmWhileTheTableIsMade) {
  const Bytes digest = DigestOf("x");
  const Bytes good = signer_.Sign(AsBytes("x"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 300; ++n) EXPECT_TRUE(key_->ConfirmEcdsa(digest, good));
    });
    threads.emplace_back([&] { key_->MakeTable(); });
  }
  for (std::thread& thread : threads) thread.join();
}

// Project Wycheproof's, with the cases where two of the points that are added are equal.
TEST_F(P256TableTest, AgreesWithWycheproof) {
  const std::filesystem::path folder = fakes::WycheproofFolder(COFFER_SOURCE_DIR);
  if (!std::filesystem::exists(folder / "ecdsa_secp256r1_sha256_p1363_test.json")) {
    GTEST_SKIP() << "no vectors: COFFER_VECTORS names no folder of Project Wycheproof's";
  }
  int confirmed = 0;
  int refused = 0;
  for (const auto& [file, hash] :
       {std::pair{"ecdsa_secp256r1_sha256_p1363_test.json", HashAlgorithm::kSha256},
        std::pair{"ecdsa_secp256r1_sha512_p1363_test.json", HashAlgorithm::kSha512}}) {
    std::ifstream in(folder / file);
    const json all = json::parse(in);
    for (const json& group : all["testGroups"]) {
      const auto key = PublicKey::FromSpki(FromHex(std::string(group["publicKeyDer"])));
      ASSERT_TRUE(key);
      const auto table = P256Table::Make(PointOf(**key));
      ASSERT_TRUE(table);
      std::vector<std::pair<Bytes, Bytes>> octets;
      for (const json& test : group["tests"]) {
        octets.emplace_back(Hash(hash, FromHex(std::string(test["msg"]))),
                            FromHex(std::string(test["sig"])));
      }
      std::vector<SignedDigest> batch;
      for (const auto& [digest, signature] : octets) batch.push_back({digest, signature});
      table->Confirm(batch);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        const json& test = group["tests"][i];
        const bool valid = test["result"] == "valid";
        EXPECT_EQ(Confirms(*table, octets[i].first, octets[i].second), valid)
            << file << " " << test["tcId"];
        EXPECT_EQ(batch[i].confirmed, valid) << file << " " << test["tcId"] << " in a batch";
        ++(valid ? confirmed : refused);
      }
    }
  }
  std::cout << "agreed: " << confirmed << " valid, " << refused << " invalid\n";
  EXPECT_GT(confirmed, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace coffer::crypto
