// Tests starts that are cut off.

#include <gtest/gtest.h>

#include "keyring/hooked_token_fixture.h"

namespace coffer::keyring {
namespace {

using KeyStartTest = HookedTokenTest;

// Each start steps the epoch, in the database first: were the second to step it again before the
// token has caught up, the third would find the token two epochs behind the database and call it an
// older one.
TEST_F(KeyStartTest, HoweverOftenAStartIsCutOffAtTheEpochTheNextOneStarts) {
  Create("orders");
  const Bytes sealed = *Encrypt("orders", "kept");
  for (const int told : {0, 1, 0, 1, 1}) {
    int left = told;  // how often the token takes the epoch before the start is cut off
    hooks_.write_epoch = [&] { return left-- > 0 ? Status{} : Lost(); };
    const Status cut_off = Reopen();
    ASSERT_FALSE(cut_off);
    EXPECT_EQ(cut_off.error().code, Code::kTokenLost);
  }
  hooks_.write_epoch = [] { return Status{}; };
  Must(Reopen());
  EXPECT_EQ(*Decrypt("orders", 1, sealed), "kept");
  Must(keys_->Rotate(mount_, "orders", actor_));
}

}  // namespace
}  // namespace coffer::keyring
