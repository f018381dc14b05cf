// Versions that are objects in the token: Ed25519 on SoftHSM, which cannot wrap it.

#include <gtest/gtest.h>

#include "coffer/crypto/digest.h"
#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {
namespace {

constexpr SignMechanism kEddsa{SignMechanism::Kind::kEddsa};

class ResidentKeysTest : public KeyRingTest {
 protected:
  void CreateEd25519(std::string_view name) { Create(name, {KeyType::kEd25519}); }
  // True if version `number` signs on `worker` and its public key verifies the signature.
  bool Signs(std::string_view name, int number = 1, std::size_t worker = 0) {
    const auto key = keys_->Find(LaneOf(worker), mount_, name);
    if (!key || !(*key)->versions.contains(number)) return false;
    const KeyVersion& version = (*key)->versions.at(number);
    const auto signature = LaneOf(worker).Sign(**key, version, kEddsa, AsBytes("message"));
    return signature && version.public_key->VerifyEd25519(AsBytes("message"), *signature);
  }
  // Objects of the token as somebody with the PIN sees them.
  std::size_t ObjectsInToken() {
    const auto module = token_.Load();
    pkcs11::Session session = token_.OpenUserSession(*module);
    pkcs11::Attributes wanted;
    wanted.Add(pkcs11::AttributeType::kClass, pkcs11::ObjectClass::kPrivateKey)
        .Add(pkcs11::AttributeType::kKeyType, pkcs11::KeyType::kEcEdwards);
    return session.Find(wanted)->size();
  }
};

TEST_F(ResidentKeysTest, SignOnEveryWorkerAndAfterARestart) {
  CreateEd25519("k");
  const auto key = *keys_->Find(LaneOf(0), mount_, "k");
  EXPECT_EQ(key->versions.at(1).custody, Custody::kResident);
  EXPECT_TRUE(key->versions.at(1).blob.empty());
  EXPECT_TRUE(Signs("k", 1, 0));
  EXPECT_TRUE(Signs("k", 1, 1));
  Must(Reopen());
  EXPECT_TRUE(Signs("k", 1, 0));
  Must(keys_->Rotate(mount_, "k", actor_));
  EXPECT_TRUE(Signs("k", 1, 1));
  EXPECT_TRUE(Signs("k", 2, 1));
}

TEST_F(ResidentKeysTest, AreUsedAgainAfterTheTokenCameBack) {
  CreateEd25519("k");
  ASSERT_TRUE(Signs("k"));
  token_.MoveAway();
  while (custodian_->Health().reachable.load()) std::this_thread::yield();
  EXPECT_FALSE(Signs("k"));
  token_.MoveBack();
  while (!custodian_->Health().reachable.load()) std::this_thread::yield();
  EXPECT_TRUE(Signs("k"));
}

TEST_F(ResidentKeysTest, TheObjectsGoWithTheirVersions) {
  CreateEd25519("k");
  Must(keys_->Rotate(mount_, "k", actor_));
  EXPECT_EQ(ObjectsInToken(), 2U);
  Must(keys_->Configure(
      mount_, "k",
      {.min_decryption_version = 2, .min_encryption_version = 2, .deletion_allowed = true}));
  Must(keys_->Trim(mount_, "k", 2));
  EXPECT_EQ(ObjectsInToken(), 1U);
  EXPECT_TRUE(Signs("k", 2));
  Must(keys_->Delete(mount_, "k"));
  EXPECT_EQ(ObjectsInToken(), 0U);
}

TEST_F(ResidentKeysTest, AreLimitedWithAClearAnswer) {
  StartPolicy policy;
  policy.resident_limit = 2;
  Must(Reopen(policy));
  CreateEd25519("a");
  CreateEd25519("b");
  const auto refused = keys_->Create(mount_, Name("c"), {KeyType::kEd25519}, actor_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_EQ(refused.error().message,
            "the token holds 2 key versions of types that it cannot wrap, which is this server's "
            "limit: trim or delete some, or raise the limit");
  EXPECT_EQ(ObjectsInToken(), 2U) << "nothing is made before the limit is looked at";
  Must(keys_->Configure(mount_, "a", {.deletion_allowed = true}));
  Must(keys_->Delete(mount_, "a"));
  CreateEd25519("c");
  Create("wrapped", {KeyType::kEcdsaP256});
}

TEST_F(ResidentKeysTest, ObjectsWithoutAKeyAreCountedAndLeftAlone) {
  CreateEd25519("k");
  EXPECT_EQ(keys_->OrphanedResidents(), 0U);
  // Leaves the row as a crash between the making of the object and the transaction would.
  Tamper("UPDATE resident_objects SET state = 1");
  Must(Reopen());
  EXPECT_EQ(keys_->OrphanedResidents(), 1U);
  EXPECT_EQ(ObjectsInToken(), 1U);
}

TEST_F(ResidentKeysTest, AVersionWhoseObjectIsGoneIsCorruptAndNoOtherIs) {
  CreateEd25519("gone");
  CreateEd25519("stays");
  {
    const auto module = token_.Load();
    pkcs11::Session session = token_.OpenUserSession(*module);
    pkcs11::Attributes wanted;
    wanted.Add(pkcs11::AttributeType::kId,
               ByteView((*keys_->Find(LaneOf(0), mount_, "gone"))->versions.at(1).locator));
    const auto found = session.Find(wanted);
    ASSERT_EQ(found->size(), 1U);
    Must(session.DestroyObject(found->front()));
  }
  Must(Reopen());
  const auto key = *keys_->Find(LaneOf(0), mount_, "gone");
  const auto refused = LaneOf(0).Sign(*key, key->versions.at(1), kEddsa, AsBytes("x"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  EXPECT_TRUE(Signs("stays"));
}

TEST_F(ResidentKeysTest, RowsThatFailTheirCheckDestroyNothing) {
  CreateEd25519("mine");
  const Id other = Id::Generate(random_);
  Must(keys_->Create(other, *KeyName::Parse("theirs"), {KeyType::kEd25519}, actor_));
  Tamper(
      "UPDATE key_versions SET locator = (SELECT v.locator FROM key_versions v JOIN keys k"
      " ON k.id = v.key WHERE k.name = 'mine')"
      " WHERE key = (SELECT id FROM keys WHERE name = 'theirs')");
  Must(Reopen());
  Must(keys_->DeleteMount(other));
  Must(Reopen());
  EXPECT_TRUE(Signs("mine"));
}

// A run that ended between COMMIT and the destruction leaves an object that belongs to no key, and
// its row.
TEST_F(ResidentKeysTest, AnObjectWhoseDestructionWasCutOffGoesAtTheNextStart) {
  CreateEd25519("k");
  const Bytes locator(16, 0x5a);
  Must(custodian_->Run([&](Token& token) -> Status {
    COFFER_TRY(token.Generate({.type = KeyType::kEd25519}, {locator, keys_->DatabaseId()}));
    return {};
  }));
  Tamper("INSERT INTO resident_objects (locator, key, version, state) SELECT x'" + ToHex(locator) +
         "', id, 7, 3 FROM keys");
  EXPECT_EQ(ObjectsInToken(), 2U);
  Must(Reopen());
  EXPECT_EQ(ObjectsInToken(), 1U);
  EXPECT_TRUE(Signs("k"));
  auto reader = database_->Read();
  auto rows = reader->Prepare("SELECT count(*) FROM resident_objects");
  ASSERT_TRUE(*rows->Step());
  EXPECT_EQ(rows->Int(0), 1);
}

TEST_F(ResidentKeysTest, ARowThatCallsALiveObjectDoomedDestroysNothing) {
  CreateEd25519("k");
  Tamper("UPDATE resident_objects SET state = 3, key = randomblob(16)");
  Must(Reopen());
  EXPECT_TRUE(Signs("k"));
}

TEST_F(ResidentKeysTest, ARowThatNamesAnotherDatabasesObjectDestroysNothing) {
  CreateEd25519("k");
  const Bytes locator(16, 0x5b);
  Must(custodian_->Run([&](Token& token) -> Status {
    COFFER_TRY(token.Generate({.type = KeyType::kEd25519}, {locator, Id::Generate(random_)}));
    return {};
  }));
  Tamper("INSERT INTO resident_objects (locator, key, version, state) SELECT x'" + ToHex(locator) +
         "', id, 7, 3 FROM keys");
  Must(Reopen());
  EXPECT_EQ(ObjectsInToken(), 2U);
}

TEST_F(ResidentKeysTest, NothingIsDestroyedWhileAKeysRowsCannotBeTrusted) {
  CreateEd25519("k");
  Tamper("UPDATE resident_objects SET state = 3");
  Tamper("UPDATE key_versions SET locator = randomblob(16)");
  Must(Reopen());
  EXPECT_EQ(ObjectsInToken(), 1U);
}

TEST_F(ResidentKeysTest, NothingIsDestroyedWhereAKeyWasRemoved) {
  CreateEd25519("k");
  Tamper("UPDATE resident_objects SET state = 3");
  Tamper("DELETE FROM keys");
  Must(Reopen());
  EXPECT_EQ(ObjectsInToken(), 1U);
}

TEST_F(ResidentKeysTest, NothingIsDestroyedAtAStartOnTheOperatorsWord) {
  CreateEd25519("k");
  Tamper("UPDATE resident_objects SET state = 3");
  Tamper("DELETE FROM keys");
  StartPolicy policy;
  policy.accept_damaged_rows = true;
  Must(Reopen(policy));
  EXPECT_EQ(ObjectsInToken(), 1U);
}

TEST_F(ResidentKeysTest, EveryObjectNamesTheDatabase) {
  CreateEd25519("k");
  const auto module = token_.Load();
  pkcs11::Session session = token_.OpenUserSession(*module);
  pkcs11::Attributes wanted;
  wanted.Add(pkcs11::AttributeType::kLabel, "coffer-key-" + keys_->DatabaseId().ToUuid());
  const auto found = session.Find(wanted);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_FALSE(session.GetBytes(found->front(), pkcs11::AttributeType::kValue));
  EXPECT_FALSE(*session.GetBool(found->front(), pkcs11::AttributeType::kExtractable));
  EXPECT_FALSE(*session.GetBool(found->front(), pkcs11::AttributeType::kModifiable));
  EXPECT_FALSE(*session.GetBool(found->front(), pkcs11::AttributeType::kCopyable));
}

}  // namespace
}  // namespace coffer::keyring
