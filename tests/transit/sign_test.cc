// What the token signs is checked before it is answered.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "keyring/forwarding_token.h"
#include "transit/engine_fixture.h"

namespace coffer::transit {
namespace {

// Flips a bit of every signature while it is told to.
class FaultyToken final : public keyring::ForwardingToken {
 public:
  FaultyToken(std::unique_ptr<keyring::Token> real, const bool& faulty)
      : ForwardingToken(std::move(real)), faulty_(faulty) {}
  Result<std::size_t> Sign(keyring::TokenHandle key, const keyring::SignMechanism& how,
                           ByteView data, MutableBytes out) override {
    COFFER_ASSIGN(const std::size_t octets, ForwardingToken::Sign(key, how, data, out));
    if (faulty_) out[octets / 2] ^= 1;
    return octets;
  }

 private:
  const bool& faulty_;
};

class SignTest : public EngineTest {
 protected:
  std::unique_ptr<keyring::Token> WorkersToken(std::unique_ptr<keyring::Token> real) override {
    return std::make_unique<FaultyToken>(std::move(real), faulty_);
  }
  // "" where every item was signed.
  std::string Sign(std::string_view key, std::size_t items = 1) {
    std::vector<SignItem> wanted(items);
    for (SignItem& item : wanted) item.input = {'m'};
    const auto made = engine_->Sign(caller_, key, wanted, {});
    if (!made) return made.error().message;
    for (const auto& one : *made) {
      if (!one) return one.error().message;
    }
    return "";
  }

  bool faulty_ = false;
};

TEST_F(SignTest, NoSignatureThatDoesNotVerifyIsAnswered) {
  for (const auto type : {keyring::KeyType::kRsa2048, keyring::KeyType::kEcdsaP256,
                          keyring::KeyType::kEcdsaP521, keyring::KeyType::kEd25519}) {
    const std::string name(keyring::KeyTypeName(type));
    Create(name, {type});
    faulty_ = false;
    EXPECT_EQ(Sign(name), "") << name;
    faulty_ = true;
    EXPECT_EQ(Sign(name), "token returned a signature that does not verify") << name;
  }
}

TEST_F(SignTest, AKeyThatSignsMuchGetsATableAndIsHeldToTheSame) {
  Create("k", {keyring::KeyType::kEcdsaP256});
  const auto has_table = [&] {
    Drain();
    return (*keys_->Find(0, mount_, "k"))->versions.at(1).public_key->HasTable();
  };
  EXPECT_EQ(Sign("k", 4000), "");
  EXPECT_FALSE(has_table());
  EXPECT_EQ(Sign("k", 200), "");
  EXPECT_TRUE(has_table());
  EXPECT_EQ(Sign("k", 200), "");
  faulty_ = true;
  EXPECT_EQ(Sign("k"), "token returned a signature that does not verify");
}

}  // namespace
}  // namespace coffer::transit
