// Tests the order of the steps of a change, and the effect of a step that fails.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "keyring/hooked_token_fixture.h"

namespace coffer::keyring {
namespace {

class KeyChangesTest : public HookedTokenTest {
 protected:
  int Latest(std::string_view name) {
    return (*keys_->Find(LaneOf(0), mount_, name))->latest_version;
  }
};

TEST_F(KeyChangesTest, NobodySeesANewVersionBeforeTheTokenHasTheEpoch) {
  Create("orders");
  Must(Encrypt("orders", "x"));
  int seen = 0;
  hooks_.write_epoch = [&]() -> Status {
    seen = Latest("orders");
    return {};
  };
  Must(keys_->Rotate(mount_, "orders", actor_));
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(Latest("orders"), 2);
}

TEST_F(KeyChangesTest, AChangeTheTokenWasNotToldOfIsInForceAndToldWithTheNext) {
  Create("orders");
  Must(Encrypt("orders", "x"));
  hooks_.write_epoch = [] { return Lost(); };
  EXPECT_EQ(keys_->Rotate(mount_, "orders", actor_).error().code, Code::kTokenLost);
  EXPECT_EQ(Latest("orders"), 2) << "its rows are committed";
  int told = 0;
  hooks_.write_epoch = [&]() -> Status {
    ++told;
    return {};
  };
  Must(keys_->Rotate(mount_, "orders", actor_));
  EXPECT_EQ(told, 2);
  EXPECT_EQ(Latest("orders"), 3);
  Must(Reopen());
}

class OrderWitness final : public RotationWitness {
 public:
  std::function<void()> begun = [] {};
  std::vector<std::string> order;

  Status Begun(const Id&, std::string_view key, std::string_view) override {
    order.emplace_back(key);
    begun();
    return {};
  }
  void Ended(const Id&, std::string_view, const Status&) override {}
};

TEST_F(KeyChangesTest, OthersHaveTheirTurnBetweenTwoKeysThatAreDue) {
  for (const char* const name : {"a", "b", "c"}) {
    Create(name, {.auto_rotate_period_seconds = 3600});
  }
  clock_.Advance(std::chrono::hours(2));
  OrderWitness witness;
  witness.begun = [&] {
    custodian_->Post([&](Token&) -> Status {
      witness.order.emplace_back("another");
      return {};
    });
  };
  keys_->SetRotationWitness(witness);
  Must(keys_->RotateDue(clock_.Now()));
  for (int i = 0; i < 4; ++i) Drain();
  const std::vector<std::string> expected{"a", "another", "b", "another", "c", "another"};
  EXPECT_EQ(witness.order, expected);
  for (const char* const name : {"a", "b", "c"}) EXPECT_EQ(Latest(name), 2) << name;
}

TEST_F(KeyChangesTest, KeysThatAreBeingRotatedAreNotTakenTwice) {
  for (const char* const name : {"a", "b"}) Create(name, {.auto_rotate_period_seconds = 3600});
  clock_.Advance(std::chrono::hours(2));
  OrderWitness witness;
  witness.begun = [&] { Must(keys_->RotateDue(clock_.Now())); };
  keys_->SetRotationWitness(witness);
  Must(keys_->RotateDue(clock_.Now()));
  for (int i = 0; i < 3; ++i) Drain();
  EXPECT_EQ(witness.order, (std::vector<std::string>{"a", "b"}));
}

TEST_F(KeyChangesTest, AKeyThatARequestRotatedOrDeletedMeanwhileIsNotRotatedAgain) {
  for (const char* const name : {"a", "b", "c", "d"}) {
    Create(name, {.auto_rotate_period_seconds = 3600});
  }
  Must(keys_->Configure(mount_, "c", {.deletion_allowed = true}));
  clock_.Advance(std::chrono::hours(2));
  OrderWitness witness;
  witness.begun = [&] {
    if (witness.order.size() > 1) return;
    Must(keys_->Rotate(mount_, "b", actor_));
    Must(keys_->Delete(mount_, "c"));
  };
  keys_->SetRotationWitness(witness);
  Must(keys_->RotateDue(clock_.Now()));
  for (int i = 0; i < 5; ++i) Drain();
  for (const char* const name : {"a", "b", "d"}) EXPECT_EQ(Latest(name), 2) << name;
}

TEST_F(KeyChangesTest, WhatWasNotRotatedIsStillDue) {
  for (const char* const name : {"a", "b", "c"}) {
    Create(name, {.auto_rotate_period_seconds = 3600});
  }
  clock_.Advance(std::chrono::hours(2));
  int failures = 1;
  // One key's failure does not keep the others; a lost token does, as it would fail them all.
  hooks_.generate = [&]() -> Status {
    return failures-- > 0 ? Status(Fail(Code::kTokenRefused, "not now")) : Status();
  };
  Must(keys_->RotateDue(clock_.Now()));
  for (int i = 0; i < 4; ++i) Drain();
  EXPECT_EQ(Latest("a"), 1);
  EXPECT_EQ(Latest("b"), 2);
  EXPECT_EQ(Latest("c"), 2);

  clock_.Advance(std::chrono::hours(2));
  int tries = 0;
  hooks_.generate = [&] {
    ++tries;
    return Lost();
  };
  Must(keys_->RotateDue(clock_.Now()));
  for (int i = 0; i < 4; ++i) Drain();
  EXPECT_EQ(tries, 1);
  hooks_.generate = [] { return Status{}; };
  Must(keys_->RotateDue(clock_.Now()));
  for (int i = 0; i < 4; ++i) Drain();
  EXPECT_EQ(Latest("a"), 2);
  EXPECT_EQ(Latest("b"), 3);
  EXPECT_EQ(Latest("c"), 3);
}

TEST_F(KeyChangesTest, TheCustodiansInstanceIsOpenedAnewWhenItHasMadeItsShareOfObjects) {
  Create("orders");
  const Bytes sealed = *Encrypt("orders", "kept");
  EXPECT_EQ(hooks_.reopened, 0);
  hooks_.further_objects = 50'000;
  Must(keys_->Rotate(mount_, "orders", actor_));
  EXPECT_EQ(hooks_.reopened, 1);
  Must(keys_->Rotate(mount_, "orders", actor_));
  EXPECT_EQ(hooks_.reopened, 1);
  EXPECT_EQ(*Decrypt("orders", 1, sealed), "kept");
}

TEST_F(KeyChangesTest, AVersionCostsTheCustodiansInstanceObjects) {
  const auto made = [&] {
    std::uint64_t objects = 0;
    Must(custodian_->Run([&](Token& token) -> Status {
      objects = token.ObjectsMade();
      return {};
    }));
    return objects;
  };
  Create("a");
  const std::uint64_t before = made();
  Create("b");
  // The key and its HMAC key, each generated and unwrapped twice.
  EXPECT_EQ(made(), before + 6);
}

}  // namespace
}  // namespace coffer::keyring
