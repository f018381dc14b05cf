// Which of the token's signatures are verified before they are answered.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "keyring/forwarding_token.h"
#include "transit/engine_fixture.h"

namespace coffer::transit {
namespace {

// The faults that the token makes, by the number of the signature, from 0.
struct Faults {
  std::set<int> flips{};        // a bit of it is wrong
  std::set<int> zeros{};        // it is all zeros
  std::map<int, Code> fails{};  // it is not made
  bool always = false;          // every one is flipped
  bool cut = false;             // a byte of it is missing
  int made = 0;
};

class FaultyToken final : public keyring::ForwardingToken {
 public:
  FaultyToken(std::unique_ptr<keyring::Token> real, Faults& faults)
      : ForwardingToken(std::move(real)), faults_(faults) {}
  Result<std::size_t> Sign(keyring::TokenHandle key, const keyring::SignMechanism& how,
                           ByteView data, MutableBytes out) override {
    const int number = faults_.made++;
    if (const auto fails = faults_.fails.find(number); fails != faults_.fails.end()) {
      return Fail(fails->second, "injected");
    }
    COFFER_ASSIGN(const std::size_t octets, ForwardingToken::Sign(key, how, data, out));
    if (faults_.always || faults_.flips.contains(number)) out[octets / 2] ^= 1;
    if (faults_.cut) return octets - 1;
    if (faults_.zeros.contains(number)) std::fill(out.begin(), out.end(), std::uint8_t{0});
    return octets;
  }

 private:
  Faults& faults_;
};

constexpr std::string_view kDoesNotVerify = "token returned a signature that does not verify";

class SignTest : public EngineTest {
 protected:
  std::unique_ptr<keyring::Token> WorkersToken(std::unique_ptr<keyring::Token> real) override {
    return std::make_unique<FaultyToken>(std::move(real), faults_);
  }
  // Returns "" if every item was signed, else the error.
  std::string Sign(std::string_view key, std::size_t items = 1,
                   SignOptions::Marshaling marshaling = SignOptions::Marshaling::kAsn1) {
    std::vector<SignItem> wanted(items);
    for (SignItem& item : wanted) item.input = {'m'};
    const auto made = engine_->Sign(caller_, key, wanted, {.marshaling = marshaling});
    if (!made) return made.error().message;
    for (const auto& one : *made) {
      if (!one) return one.error().message;
    }
    return "";
  }

  // Each item's error; "" if it was signed and the client's check of the signature succeeds.
  std::vector<std::string> SignEach(std::string_view key, const std::vector<SignItem>& items) {
    const auto made = engine_->Sign(caller_, key, items, {});
    if (!made) return {made.error().message};
    std::vector<VerifyItem> back;
    std::vector<std::string> errors;
    for (std::size_t i = 0; i < made->size(); ++i) {
      const auto& one = made->at(i);
      errors.push_back(one ? "" : one.error().message);
      if (one) back.push_back({one->version, one->octets, items[i].input});
    }
    const auto verified = engine_->Verify(caller_, key, back, {});
    EXPECT_TRUE(verified);
    for (const auto& one : *verified) EXPECT_TRUE(one && *one);
    return errors;
  }
  static std::vector<SignItem> Numbered(int count) {
    std::vector<SignItem> items(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      items[static_cast<std::size_t>(i)].input = {static_cast<std::uint8_t>(i)};
    }
    return items;
  }
  void VerifyEcdsa() { engine_ = std::make_unique<Engine>(*keys_, random_, EngineSettings{true}); }

  Faults faults_;
};

TEST_F(SignTest, NoRsaOrEd25519SignatureThatDoesNotVerifyIsAnswered) {
  for (const auto type : {keyring::KeyType::kRsa2048, keyring::KeyType::kEd25519}) {
    const std::string name(keyring::KeyTypeName(type));
    Create(name, {type});
    faults_.always = false;
    EXPECT_EQ(Sign(name), "") << name;
    faults_.always = true;
    EXPECT_EQ(Sign(name), kDoesNotVerify) << name;
  }
}

TEST_F(SignTest, AnEcdsaSignatureIsVerifiedWhereTheSettingSaysSo) {
  for (const auto type :
       {keyring::KeyType::kEcdsaP256, keyring::KeyType::kEcdsaP384, keyring::KeyType::kEcdsaP521}) {
    const std::string name(keyring::KeyTypeName(type));
    Create(name, {type});
  }
  for (const bool verifies : {false, true}) {
    if (verifies) VerifyEcdsa();
    for (const std::string name : {"ecdsa-p256", "ecdsa-p384", "ecdsa-p521"}) {
      faults_.always = false;
      EXPECT_EQ(Sign(name), "") << name;
      EXPECT_EQ(Sign(name, 3, SignOptions::Marshaling::kJws), "") << name;
      faults_.always = true;
      EXPECT_EQ(Sign(name), verifies ? kDoesNotVerify : "") << name;
      EXPECT_EQ(Sign(name, 3, SignOptions::Marshaling::kJws), verifies ? kDoesNotVerify : "")
          << name;
    }
  }
}

TEST_F(SignTest, AnEcdsaSignatureOfTheWrongLengthIsNotAnswered) {
  Create("k", {keyring::KeyType::kEcdsaP256});
  faults_.cut = true;
  EXPECT_EQ(Sign("k"), "token returned a signature of the wrong length");
}

TEST_F(SignTest, WhatTheTokenGetsWrongFailsAloneInItsBatch) {
  VerifyEcdsa();
  for (const auto type : {keyring::KeyType::kEcdsaP256, keyring::KeyType::kEd25519}) {
    const std::string name(keyring::KeyTypeName(type));
    Create(name, {type});
    std::vector<SignItem> items = Numbered(8);
    items[6].key_version = 7;  // there is none, and the token is not asked
    faults_ = {.flips = {1, 6}, .zeros = {3}, .fails = {{4, Code::kTokenRefused}}};
    const std::string wrong(kDoesNotVerify);
    const std::vector<std::string> errors = SignEach(name, items);
    ASSERT_EQ(errors.size(), items.size()) << name;
    EXPECT_NE(errors[6], "");
    EXPECT_NE(errors[6], wrong);
    EXPECT_EQ(errors,
              (std::vector<std::string>{"", wrong, "", wrong, "injected", "", errors[6], wrong}));
    faults_ = {};
  }
}

TEST_F(SignTest, ATokenThatIsLostInABatchEndsTheRequest) {
  Create("k", {keyring::KeyType::kEcdsaP256});
  EXPECT_EQ(Sign("k"), "");
  faults_ = {.fails = {{2, Code::kInternal}}};
  EXPECT_EQ(SignEach("k", Numbered(4)), std::vector<std::string>{"injected"});
  EXPECT_EQ(faults_.made, 3);
}

TEST_F(SignTest, ABatchOfSeveralVersionsKeepsItsOrder) {
  VerifyEcdsa();
  Create("k", {keyring::KeyType::kEcdsaP256});
  Must(keys_->Rotate(mount_, "k", actor_));
  std::vector<SignItem> items = Numbered(9);
  for (std::size_t i = 0; i < items.size(); ++i) items[i].key_version = i % 3 == 0 ? 1 : 2;
  faults_ = {.flips = {3, 4}};
  const std::string wrong(kDoesNotVerify);
  EXPECT_EQ(SignEach("k", items),
            (std::vector<std::string>{"", "", "", wrong, wrong, "", "", "", ""}));
}

}  // namespace
}  // namespace coffer::transit
