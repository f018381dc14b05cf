#include "coffer/transit/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "transit/engine_fixture.h"

namespace coffer::transit {
namespace {

TEST_F(EngineTest, ForeseesWhetherAnEncryptionMakesOrRotatesAKey) {
  const auto absent = engine_->FindTarget(caller_, "k");
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->Exists());
  EXPECT_TRUE(absent->ChangesKeys());
  Create("k");
  const auto present = engine_->FindTarget(caller_, "k");
  ASSERT_TRUE(present);
  EXPECT_TRUE(present->Exists());
  EXPECT_FALSE(present->ChangesKeys());
  const auto older = std::make_shared<keyring::Key>(*present->key);
  older->settings.rotation_required = true;
  EXPECT_TRUE(EncryptionTarget{older}.ChangesKeys());
  older->settings.soft_deleted = true;
  EXPECT_FALSE(EncryptionTarget{older}.ChangesKeys()) << "a deleted key is refused, not rotated";
}

TEST_F(EngineTest, EncryptsWithTheKeyThatWasForeseen) {
  Create("k");
  const auto target = engine_->FindTarget(caller_, "k");
  ASSERT_TRUE(target);
  Must(keys_->Rotate(mount_, "k", actor_));
  PlaintextItem items[] = {Item("a")};
  const auto sealed = engine_->Encrypt(caller_, "k", items, std::nullopt, &*target);
  ASSERT_TRUE(sealed && sealed->front());
  EXPECT_EQ(sealed->front()->version, 1);
}

TEST_F(EngineTest, ARewrapLeavesWhatIsCurrentIfItIsAskedTo) {
  Create("k");
  PlaintextItem first[] = {Item("a")};
  const auto old = engine_->Encrypt(caller_, "k", first, std::nullopt);
  Must(keys_->Rotate(mount_, "k", actor_));
  PlaintextItem second[] = {Item("b")};
  const auto current = engine_->Encrypt(caller_, "k", second, std::nullopt);
  ASSERT_TRUE(old && old->front() && current && current->front());
  const CiphertextItem items[] = {{1, old->front()->payload, {}, 0, {}},
                                  {2, current->front()->payload, {}, 0, {}},
                                  {2, current->front()->payload, {}, 1, {}}};
  const auto kept = engine_->Rewrap(caller_, "k", items, true);
  ASSERT_TRUE(kept);
  ASSERT_TRUE((*kept)[0] && (*kept)[1]);
  EXPECT_EQ((*kept)[0]->version, 2);
  EXPECT_EQ((*kept)[1]->version, 2);
  EXPECT_EQ((*kept)[1]->payload, current->front()->payload);
  ASSERT_TRUE((*kept)[2]) << "it is asked for the first version";
  EXPECT_EQ((*kept)[2]->version, 1);
  const auto all = engine_->Rewrap(caller_, "k", items);
  ASSERT_TRUE(all && (*all)[1]);
  EXPECT_NE((*all)[1]->payload, current->front()->payload);
}

TEST_F(EngineTest, MakesAnAbsentKeyOnlyWhereAsked) {
  PlaintextItem item = Item("x");
  const auto refused = engine_->Encrypt(caller_, "k", {&item, 1}, std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().refusal, Refusal::kNoKeyToUse);
  EXPECT_EQ(refused.error().arguments.purpose, Purpose::kEncryption);
  EXPECT_TRUE(engine_->Encrypt(caller_, "k", {&item, 1},
                               keyring::CreateOptions{keyring::KeyType::kAes128Gcm96}));
  EXPECT_EQ((*keys_->Find(LaneOf(0), mount_, "k"))->type, keyring::KeyType::kAes128Gcm96);
}

TEST_F(EngineTest, KeepsItemsInOrderAroundAFailedOne) {
  Create("k");
  PlaintextItem items[] = {Item("a"), Item("b", 9), Item("c")};
  const auto sealed = engine_->Encrypt(caller_, "k", items, std::nullopt);
  ASSERT_TRUE(sealed);
  ASSERT_EQ(sealed->size(), 3U);
  EXPECT_FALSE((*sealed)[1]);
  const CiphertextItem opened[] = {{0, (*sealed)[0]->payload, {}, 0, {}},
                                   {1, (*sealed)[2]->payload, {}, 0, {}}};
  const auto plain = engine_->Decrypt(caller_, "k", opened);
  ASSERT_TRUE(plain);
  EXPECT_EQ(AsText((*plain)[0]->Reveal()), "a");
  EXPECT_EQ(AsText((*plain)[1]->Reveal()), "c");
}

TEST_F(EngineTest, AnErrorThatNamesItsItemNamesTheRequestsNumber) {
  Create("r", {keyring::KeyType::kRsa2048});
  CiphertextItem item{1, Bytes(256, 1), {'a'}, 0, {}, 7};
  const auto opened = engine_->Decrypt(caller_, "r", {&item, 1});
  ASSERT_TRUE(opened);
  const Error& error = (*opened)[0].error();
  EXPECT_EQ(error.refusal, Refusal::kItemAssociatedDataUnsupported);
  EXPECT_EQ(error.arguments.given, 7);
  EXPECT_EQ(error.arguments.name, "rsa-2048");
}

TEST_F(EngineTest, RewrapsWhatItCanAndReportsTheRest) {
  Create("k");
  PlaintextItem item = Item("x");
  const auto sealed = engine_->Encrypt(caller_, "k", {&item, 1}, std::nullopt);
  Must(keys_->Rotate(mount_, "k", actor_));
  CiphertextItem items[] = {{1, (*sealed)[0]->payload, {}, 0, {}},
                            {1, (*sealed)[0]->payload, {}, 0, {}}};
  items[0].payload.back() ^= 1;
  const auto moved = engine_->Rewrap(caller_, "k", items);
  ASSERT_TRUE(moved);
  EXPECT_EQ((*moved)[0].error().code, Code::kAuthenticationFailed);
  EXPECT_EQ((*moved)[1]->version, 2);
}

TEST_F(EngineTest, DataKeysOpenToTheirPlaintext) {
  Create("k");
  const auto key = engine_->GenerateDataKey(caller_, "k", 512, 0, AsBytes("aad"));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->plaintext.size(), 64U);
  const CiphertextItem item{1, key->ciphertext.payload, {'a', 'a', 'd'}, 0, {}};
  const auto opened = engine_->Decrypt(caller_, "k", {&item, 1});
  EXPECT_TRUE(*(*opened)[0] == key->plaintext);
  EXPECT_EQ(engine_->GenerateDataKey(caller_, "k", 192, 0, {}).error().refusal,
            Refusal::kDataKeyBits);
}

TEST_F(EngineTest, RandomKnowsItsBoundsAndSources) {
  for (const auto source : {RandomSource::kPlatform, RandomSource::kSeal, RandomSource::kAll}) {
    const auto bytes = engine_->RandomBytes(caller_, source, 131072);
    ASSERT_TRUE(bytes);
    EXPECT_GT(std::count_if(bytes->Reveal().begin(), bytes->Reveal().end(),
                            [](std::uint8_t octet) { return octet != 0; }),
              100'000);
  }
  EXPECT_FALSE(engine_->RandomBytes(caller_, RandomSource::kSeal, 0));
  EXPECT_FALSE(engine_->RandomBytes(caller_, RandomSource::kSeal, 131073));
}

}  // namespace
}  // namespace coffer::transit
