#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "keyring/forwarding_token.h"
#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {

// A key ring whose custodian's token asks the test first.
class HookedTokenTest : public KeyRingTest {
 protected:
  struct Hooks {
    std::function<Status()> write_epoch = [] { return Status{}; };
    std::function<Status()> generate = [] { return Status{}; };
    std::uint64_t further_objects = 0;  // until the instance is opened again
    int reopened = 0;
  };
  class HookedToken final : public ForwardingToken {
   public:
    HookedToken(std::unique_ptr<Token> real, Hooks& hooks)
        : ForwardingToken(std::move(real)), hooks_(hooks) {}
    Status WriteEpoch(const Epoch& epoch) override {
      COFFER_TRY(hooks_.write_epoch());
      return ForwardingToken::WriteEpoch(epoch);
    }
    Result<NewVersion> Generate(const KeySpec& spec, const ResidentPlace& place) override {
      COFFER_TRY(hooks_.generate());
      return ForwardingToken::Generate(spec, place);
    }
    std::uint64_t ObjectsMade() const override {
      return ForwardingToken::ObjectsMade() + hooks_.further_objects;
    }
    Status Reopen() override {
      ++hooks_.reopened;
      hooks_.further_objects = 0;
      return ForwardingToken::Reopen();
    }

   private:
    Hooks& hooks_;
  };

  std::unique_ptr<Token> CustodiansToken(std::unique_ptr<Token> real) override {
    return std::make_unique<HookedToken>(std::move(real), hooks_);
  }
  static Status Lost() { return Fail(Code::kTokenLost, "the token is not reachable"); }

  Hooks hooks_;
};

}  // namespace coffer::keyring
