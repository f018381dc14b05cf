#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {
namespace {

TEST_F(KeyRingTest, EncryptsAndDecryptsOnEveryWorkersInstance) {
  Create("orders");
  for (const std::size_t worker : {0U, 1U}) {
    const auto payload = Encrypt("orders", "a secret", "context", 0, worker);
    Must(payload);
    EXPECT_EQ(payload->size(), 12 + 8 + 16U);
    EXPECT_EQ(*Decrypt("orders", 1, *payload, "context", 1 - worker), "a secret");
  }
  const auto empty = Encrypt("orders", "");
  Must(empty);
  EXPECT_EQ(*Decrypt("orders", 1, *empty), "");
}

TEST_F(KeyRingTest, BothKeySizesWork) {
  Create("small", {.type = KeyType::kAes128Gcm96});
  const auto payload = Encrypt("small", "x");
  Must(payload);
  EXPECT_EQ(*Decrypt("small", 1, *payload), "x");
}

TEST_F(KeyRingTest, RefusesEveryChangedCiphertextAlike) {
  Create("orders");
  const Bytes payload = *Encrypt("orders", "a secret", "context");
  for (std::size_t bit = 0; bit < payload.size() * 8; ++bit) {
    Bytes changed = payload;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << (bit % 8)));
    const auto opened = Decrypt("orders", 1, changed, "context");
    ASSERT_FALSE(opened);
    ASSERT_EQ(opened.error().refusal, Refusal::kNotAuthentic);
  }
  EXPECT_EQ(Decrypt("orders", 1, payload, "contexT").error().refusal, Refusal::kNotAuthentic);
  Bytes longer = payload;
  longer.push_back(0);
  EXPECT_EQ(Decrypt("orders", 1, longer, "context").error().refusal, Refusal::kNotAuthentic);
  EXPECT_EQ(Decrypt("orders", 1, ByteView(payload).first(27), "context").error().refusal,
            Refusal::kCiphertextLength);
  EXPECT_TRUE(keys_->Ready());
}

TEST_F(KeyRingTest, NoncesNeverRepeat) {
  Create("orders");
  std::set<Bytes> nonces;
  for (int i = 0; i < 2000; ++i) {
    const Bytes payload = *Encrypt("orders", "x");
    nonces.insert(Bytes(payload.begin(), payload.begin() + 12));
  }
  EXPECT_EQ(nonces.size(), 2000U);
}

TEST_F(KeyRingTest, RotationKeepsOldVersionsReadableAndSurvivesARestart) {
  Create("orders");
  const Bytes first = *Encrypt("orders", "one");
  Must(keys_->Rotate(mount_, "orders", actor_));
  const Bytes second = *Encrypt("orders", "two");
  Must(Reopen());
  EXPECT_EQ(*Decrypt("orders", 1, first), "one");
  EXPECT_EQ(*Decrypt("orders", 2, second), "two");
  EXPECT_FALSE(Decrypt("orders", 2, first));
  EXPECT_EQ((*keys_->Find(LaneOf(0), mount_, "orders"))->latest_version, 2);
}

TEST_F(KeyRingTest, CreatingAgainChangesNothing) {
  Create("orders");
  Must(keys_->Rotate(mount_, "orders", actor_));
  const auto again = keys_->Create(mount_, Name("orders"), {.type = KeyType::kAes128Gcm96}, actor_);
  Must(again);
  EXPECT_TRUE(again->existed);
  EXPECT_EQ(again->key->latest_version, 2);
  EXPECT_EQ(again->key->type, KeyType::kAes256Gcm96);
}

TEST_F(KeyRingTest, ListsByMountInOrder) {
  for (const char* name : {"b", "a", "c"}) Create(name);
  const Id other = Id::Generate(random_);
  EXPECT_EQ(*keys_->List(mount_, "", 0), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(*keys_->List(mount_, "a", 1), (std::vector<std::string>{"b"}));
  EXPECT_TRUE(keys_->List(other, "", 0)->empty());
  EXPECT_EQ(keys_->Find(LaneOf(0), other, "a").error().code, Code::kNotFound);
}

TEST_F(KeyRingTest, ConfigureIsAllOrNothing) {
  Create("orders");
  Must(keys_->Rotate(mount_, "orders", actor_));
  const auto failed = keys_->Configure(mount_, "orders",
                                       {.min_decryption_version = 2, .min_encryption_version = 3});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().refusal, Refusal::kMinEncryptionAboveLatest);
  EXPECT_EQ(failed.error().arguments.given, 3);
  EXPECT_EQ(failed.error().arguments.bound, 2);
  EXPECT_EQ((*keys_->Find(LaneOf(0), mount_, "orders"))->settings.min_decryption_version, 1);
  Must(keys_->Configure(mount_, "orders", {.min_decryption_version = 2}));
  Must(Reopen());
  EXPECT_EQ((*keys_->Find(LaneOf(0), mount_, "orders"))->settings.min_decryption_version, 2);
}

TEST_F(KeyRingTest, TrimDestroysVersionsForGood) {
  Create("orders");
  const Bytes first = *Encrypt("orders", "one");
  Must(keys_->Rotate(mount_, "orders", actor_));
  EXPECT_EQ(keys_->Trim(mount_, "orders", 2).error().refusal, Refusal::kTrimWithoutMinEncryption);
  Must(keys_->Configure(mount_, "orders",
                        {.min_decryption_version = 2, .min_encryption_version = 2}));
  Must(keys_->Trim(mount_, "orders", 2));
  EXPECT_FALSE(Decrypt("orders", 1, first));
  EXPECT_EQ(keys_->Configure(mount_, "orders", {.min_decryption_version = 1}).error().refusal,
            Refusal::kMinDecryptionBelowMinAvailable);
  Must(Reopen());
  EXPECT_EQ((*keys_->Find(LaneOf(0), mount_, "orders"))->versions.size(), 1U);
}

TEST_F(KeyRingTest, DeletionNeedsLeave) {
  Create("orders");
  EXPECT_EQ(keys_->Delete(mount_, "orders").error().refusal, Refusal::kDeletionNotAllowed);
  Must(keys_->Configure(mount_, "orders", {.deletion_allowed = true}));
  EXPECT_EQ(TextOf(keys_->Delete(mount_, "orders")), "ok");
  EXPECT_EQ(keys_->Find(LaneOf(0), mount_, "orders").error().code, Code::kNotFound);
  Must(Reopen());
  EXPECT_EQ(keys_->Find(LaneOf(0), mount_, "orders").error().code, Code::kNotFound);
}

TEST_F(KeyRingTest, DeletingAMountTakesItsKeysOnly) {
  Create("a");
  Create("b");
  const Id other = Id::Generate(random_);
  Must(keys_->Create(other, Name("a"), {}, actor_));
  Must(keys_->DeleteMount(mount_));
  EXPECT_TRUE(keys_->List(mount_, "", 0)->empty());
  EXPECT_EQ(keys_->List(other, "", 0)->size(), 1U);
  Must(Reopen());
}

TEST_F(KeyRingTest, AMountsKeysGoWithOneStepOfTheEpoch) {
  const auto epoch = [&] {
    std::uint64_t value = 0;
    Must(custodian_->Run([&](Token& token) -> Status {
      COFFER_ASSIGN(const Token::Epoch read, token.ReadEpoch());
      value = read.value;
      return {};
    }));
    return value;
  };
  for (const char* const name : {"a", "b", "c"}) Create(name);
  const std::uint64_t before = epoch();
  Must(keys_->DeleteMount(mount_));
  EXPECT_EQ(epoch(), before + 1);
  EXPECT_TRUE(keys_->List(mount_, "", 0)->empty());
  Must(Reopen());
}

TEST_F(KeyRingTest, AnInstanceKeepsNoMoreHandlesThanItMayAndAllContextsWork) {
  limits_.handles = 16;
  Must(Reopen());
  Create("k", {.derived = true});
  const auto key = *keys_->Find(LaneOf(0), mount_, "k");
  const KeyVersion& version = key->versions.at(1);
  std::vector<Bytes> sealed;
  for (int i = 0; i < 40; ++i) {
    const std::string context = "context " + std::to_string(i);
    Encryption item;
    item.version = &version;
    item.plaintext = AsBytes("x");
    item.context = AsBytes(context);
    Must(LaneOf(0).Encrypt(*key, {&item, 1}));
    ASSERT_FALSE(item.error);
    sealed.push_back(std::move(item.payload));
    EXPECT_LE(keys_->Handles().cached, 16U);
  }
  EXPECT_EQ(keys_->Handles().displaced, 25U) << "the base key and 40 others, 16 of which stay";
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    const std::string context = "context " + std::to_string(i);
    EXPECT_TRUE(LaneOf(0).Decrypt(*key, version, sealed[i], {}, AsBytes(context)));
    EXPECT_FALSE(LaneOf(0).Decrypt(*key, version, sealed[i], {}, AsBytes(context + "x")));
  }
}

TEST_F(KeyRingTest, KeysThatAreOutOfTheCacheAreReadAgain) {
  limits_.key_bytes = 4000;
  Must(Reopen());
  std::vector<Bytes> sealed;
  for (int i = 0; i < 10; ++i) {
    Create("k" + std::to_string(i));
    sealed.push_back(*Encrypt("k" + std::to_string(i), "x"));
  }
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    EXPECT_EQ(*Decrypt("k" + std::to_string(i), 1, sealed[i]), "x");
  }
}

TEST_F(KeyRingTest, AVersionSaysWhoMadeItAndWhy) {
  Create("orders");
  Must(keys_->Rotate(mount_, "orders", {"alice", "suspicion"}));
  Must(Reopen());
  const VersionInfo& second = (*keys_->Find(LaneOf(0), mount_, "orders"))->versions.at(2).info;
  EXPECT_EQ(second.created_by, "alice");
  EXPECT_EQ(second.reason, "suspicion");
}

TEST_F(KeyRingTest, AutoRotationRotatesWhatIsDueOnce) {
  Create("hourly", {.auto_rotate_period_seconds = 3600});
  Create("never");
  const auto version_after_a_run = [&] {
    Must(keys_->RotateDue(clock_.Now()));
    Drain();
    return (*keys_->Find(LaneOf(0), mount_, "hourly"))->latest_version;
  };
  EXPECT_EQ(version_after_a_run(), 1);
  clock_.Advance(std::chrono::seconds(3601));
  EXPECT_EQ(version_after_a_run(), 2);
  EXPECT_EQ(version_after_a_run(), 2);
  EXPECT_EQ((*keys_->Find(LaneOf(0), mount_, "never"))->latest_version, 1);
}

TEST_F(KeyRingTest, CountsAreReservedBeforeUseAndNeverBelowTheTruth) {
  Create("orders");
  Must(Encrypt("orders", "x"));
  Must(Reopen());
  Must(Encrypt("orders", "x"));
  const auto key = *keys_->Find(LaneOf(0), mount_, "orders");
  EXPECT_EQ(key->versions.at(1).counter->reserved.load(), 2 * 65'536);
}

TEST_F(KeyRingTest, AVersionIsRotatedAt2To30AndRefusedAt2To32) {
  Create("orders");
  Must(Encrypt("orders", "x"));
  Charge("orders", 1, 1'073'741'824 - 65'536);
  Must(Reopen());
  Must(Encrypt("orders", "x"));
  Drain();  // the rotation that was asked for
  EXPECT_EQ((*keys_->Find(LaneOf(0), mount_, "orders"))->latest_version, 2);
  Charge("orders", 1, 4'294'967'296);
  Must(Reopen());
  const auto refused = Encrypt("orders", "x", "", 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  Must(Encrypt("orders", "x"));
}

TEST_F(KeyRingTest, AnItemThatTheTokenCannotDoHasItsOwnErrorInItsBatch) {
  Create("orders");
  const auto key = *keys_->Find(LaneOf(0), mount_, "orders");
  KeyVersion unusable = key->versions.at(1);
  unusable.info.version = 2;
  unusable.info.master = "aes-v9";  // a master that is gone
  Encryption items[3];
  for (Encryption& item : items) {
    item.version = &key->versions.at(1);
    item.plaintext = AsBytes("hello");
  }
  items[1].version = &unusable;
  Must(LaneOf(0).Encrypt(*key, items));
  ASSERT_TRUE(items[1].error);
  EXPECT_EQ(items[1].error->code, Code::kCorrupt);
  for (const int good : {0, 2}) {
    EXPECT_FALSE(items[good].error);
    EXPECT_EQ(*Decrypt("orders", 1, items[good].payload), "hello");
  }
}

TEST_F(KeyRingTest, TokenAwayAnswersLostAndComesBackByItself) {
  Create("orders");
  const Bytes payload = *Encrypt("orders", "kept");
  for (int round = 0; round < 3; ++round) {
    token_.MoveAway();
    while (keys_->Ready()) std::this_thread::yield();
    EXPECT_EQ(Decrypt("orders", 1, payload).error().code, Code::kTokenLost);
    EXPECT_EQ(Encrypt("orders", "x").error().code, Code::kTokenLost);
    EXPECT_EQ(keys_->Rotate(mount_, "orders", actor_).error().code, Code::kTokenLost);
    token_.MoveBack();
    while (!keys_->Ready()) std::this_thread::yield();
    EXPECT_EQ(*Decrypt("orders", 1, payload), "kept");
    EXPECT_EQ(*Decrypt("orders", 1, payload, "", 1), "kept");
    Must(keys_->Rotate(mount_, "orders", actor_));
  }
}

TEST_F(KeyRingTest, TheCustodianUsesKeysOnItsOwnInstanceAlsoAfterALoss) {
  Create("orders");
  const auto round_trip = [&] {
    return custodian_->Run([&](CustodianTurn& turn) -> Status {
      Lane& lane = keys_->GetLanes().OfCustodian(turn);
      COFFER_ASSIGN(const Bytes payload, Encrypt(lane, "orders", "hello"));
      COFFER_ASSIGN(const std::string text, Decrypt(lane, "orders", 1, payload));
      return text == "hello" ? Status{} : Fail(Code::kInternal, text);
    });
  };
  Must(round_trip());
  token_.MoveAway();
  while (keys_->Ready()) std::this_thread::yield();
  EXPECT_EQ(round_trip().error().code, Code::kTokenLost);
  token_.MoveBack();
  while (!keys_->Ready()) std::this_thread::yield();
  Must(round_trip());
}

TEST_F(KeyRingTest, NoKeyOctetsInTheDatabase) {
  // The wrapped blobs are all there is: 40 bytes for a key of 32.
  Create("orders");
  auto reader = database_->Read();
  Must(reader);
  auto rows = reader->Prepare("SELECT length(blob), length(hmac_blob) FROM key_versions");
  Must(rows);
  ASSERT_TRUE(*rows->Step());
  EXPECT_EQ(rows->Int(0), 40);
  EXPECT_EQ(rows->Int(1), 72);
}

}  // namespace
}  // namespace coffer::keyring
