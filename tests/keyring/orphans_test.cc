#include "coffer/keyring/orphans.h"

#include <gtest/gtest.h>

#include "coffer/keyring/token_admin.h"
#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {
namespace {

class OrphansTest : public KeyRingTest {
 protected:
  const Bytes& LocatorOf(std::string_view name, int version) {
    return (*keys_->Find(LaneOf(0), mount_, name))->versions.at(version).locator;
  }
  // Opens the key ring as `coffer hsm gc` does: without workers, and without the custodian's
  // thread.
  Result<std::set<Bytes>> Named() {
    Close();
    COFFER_TRY(OpenDatabase());
    COFFER_ASSIGN(OpenedTokens opened, OpenTokens(location_, token_.UserPin(), 0, logger_));
    Custodian custodian(std::move(opened.custodian), Custodian::Options{}, clock_, logger_);
    COFFER_ASSIGN(const auto keys, KeyRing::Open(*database_, custodian, {}, StartPolicy{}, random_,
                                                 clock_, logger_));
    return keys->NamedResidents();
  }
  std::vector<TokenObject> Objects(TokenObject::Kind kind) {
    auto admin = TokenAdmin::Open(location_, token_.UserPin());
    Must(admin);
    auto objects = (*admin)->List();
    Must(objects);
    std::erase_if(*objects, [&](const TokenObject& object) { return object.kind != kind; });
    return *std::move(objects);
  }
};

TEST_F(OrphansTest, EveryVersionOfEveryKeyIsNamedAndNothingElse) {
  Create("k", {KeyType::kEd25519});
  Must(keys_->Rotate(mount_, "k", actor_));
  Create("other", {KeyType::kEd25519});
  Create("wrapped", {KeyType::kEcdsaP256});
  const std::set<Bytes> expected{LocatorOf("k", 1), LocatorOf("k", 2), LocatorOf("other", 1)};
  const auto named = Named();
  Must(named);
  EXPECT_EQ(*named, expected);
}

TEST_F(OrphansTest, AnotherDatabasesObjectsAreCountedAndAKeysOwnAreNot) {
  Create("k", {KeyType::kEd25519});
  const Id ours = keys_->DatabaseId();
  const std::set<Bytes> named{LocatorOf("k", 1)};
  Close();
  const Bytes theirs_locator(16, 0x11);
  const Bytes orphans_locator(16, 0x22);
  {
    const auto opened = OpenTokens(location_, token_.UserPin(), 0, logger_);
    Must(opened);
    const Id theirs = Id::Generate(random_);
    Must(opened->custodian->Generate({.type = KeyType::kEd25519}, {theirs_locator, theirs}));
    Must(opened->custodian->Generate({.type = KeyType::kEd25519}, {orphans_locator, ours}));
  }
  const auto admin = TokenAdmin::Open(location_, token_.UserPin());
  Must(admin);
  const auto objects = (*admin)->List();
  Must(objects);
  const Orphans orphans = FindOrphans(*objects, ours, named);
  EXPECT_EQ(orphans.of_other_databases, 1U);
  ASSERT_EQ(orphans.objects.size(), 1U);
  EXPECT_EQ(orphans.objects.front().id_octets, orphans_locator);
}

TEST_F(OrphansTest, WhatAnExaminationLeftIsAnOrphan) {
  TokenObject probe;
  probe.kind = TokenObject::Kind::kProbe;
  TokenObject master;
  master.kind = TokenObject::Kind::kServers;
  TokenObject foreign;
  const Orphans orphans = FindOrphans({probe, master, foreign}, keys_->DatabaseId(), {});
  ASSERT_EQ(orphans.objects.size(), 1U);
  EXPECT_EQ(orphans.objects.front().kind, TokenObject::Kind::kProbe);
}

TEST_F(OrphansTest, AnObjectThatDoesNotTellItsIdIsNoOrphanAndDestroysNoOther) {
  Create("k", {KeyType::kEd25519});
  TokenObject untold = Objects(TokenObject::Kind::kResidentKey).front();
  untold.id_octets.clear();
  EXPECT_TRUE(FindOrphans({untold}, keys_->DatabaseId(), {}).objects.empty());
  {
    const auto admin = TokenAdmin::Open(location_, token_.UserPin());
    Must(admin);
    const Status refused = (*admin)->Destroy(untold);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kInvalid);
  }
  EXPECT_EQ(Objects(TokenObject::Kind::kResidentKey).size(), 1U);
}

TEST_F(OrphansTest, AChangedRowLetsNothingBeCalledAnOrphan) {
  Create("k", {KeyType::kEd25519});
  Tamper("UPDATE key_versions SET locator = x'00112233445566778899aabbccddeeff'");
  const auto named = Named();
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().code, Code::kCorrupt);
  EXPECT_NE(named.error().message.find("the rows of key k failed their check"), std::string::npos);
}

TEST_F(OrphansTest, NothingIsCalledAnOrphanWhereAKeyWasRemoved) {
  Create("k", {KeyType::kEd25519});
  Tamper("DELETE FROM key_versions");
  Tamper("DELETE FROM keys");
  const auto named = Named();
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().code, Code::kCorrupt);
}

TEST_F(OrphansTest, OnlyResidentKeysAndProbesCanBeDestroyed) {
  Create("k", {KeyType::kEd25519});
  const auto kept = Objects(TokenObject::Kind::kServers);
  EXPECT_GE(kept.size(), 12U) << "ten masters, coffer-meta and the epoch at least";
  const auto resident = Objects(TokenObject::Kind::kResidentKey);
  ASSERT_EQ(resident.size(), 1U);
  EXPECT_EQ(resident.front().label, ResidentLabel(keys_->DatabaseId()));
  EXPECT_EQ(resident.front().id_octets, LocatorOf("k", 1));
  Close();
  const auto admin = TokenAdmin::Open(location_, token_.UserPin());
  Must(admin);
  for (const TokenObject& object : kept) {
    const Status refused = (*admin)->Destroy(object);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kInvalid);
  }
  Must((*admin)->Destroy(resident.front()));
  const Status again = (*admin)->Destroy(resident.front());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kNotFound);
  EXPECT_EQ(Objects(TokenObject::Kind::kServers).size(), kept.size());
}

}  // namespace
}  // namespace coffer::keyring
