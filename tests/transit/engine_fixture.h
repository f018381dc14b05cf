#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "coffer/transit/engine.h"
#include "keyring/key_ring_fixture.h"

namespace coffer::transit {

class EngineTest : public keyring::KeyRingTest {
 protected:
  void SetUp() override {
    KeyRingTest::SetUp();
    ASSERT_TRUE(keys_);
    engine_ = std::make_unique<Engine>(*keys_, random_);
    caller_.mount = mount_;
    caller_.lane = &keys_->GetLanes().OfWorker(0);
    caller_.actor = actor_;
  }
  static PlaintextItem Item(std::string_view text, std::int64_t version = 0) {
    PlaintextItem item;
    item.plaintext = SecretBytes::CopyOf(AsBytes(text));
    item.key_version = version;
    return item;
  }

  Caller caller_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace coffer::transit
