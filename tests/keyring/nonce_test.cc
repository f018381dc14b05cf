// Nonces come from the token's generator and the kernel's, each time.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "keyring/forwarding_token.h"
#include "keyring/key_ring_fixture.h"

namespace coffer::keyring {
namespace {

constexpr std::uint8_t kTokensByte = 0x0f;
constexpr std::uint8_t kKernelsByte = 0xf0;

// Gives one byte again and again once it is told to.
class KernelsRandom final : public coffer::Random {
 public:
  void Fill(MutableBytes out) override {
    if (!constant) return real_.Fill(out);
    std::ranges::fill(out, kKernelsByte);
  }
  bool constant = false;

 private:
  crypto::SystemRandom real_;
};

// Records what a worker's token was asked, and says what it does wrong.
struct Watched {
  std::vector<Bytes> nonces;  // of encryptions, in order
  int failing = 0;            // encryptions that fail before one works
};

class WatchedToken final : public ForwardingToken {
 public:
  WatchedToken(std::unique_ptr<Token> real, Watched& watched)
      : ForwardingToken(std::move(real)), watched_(watched) {}
  Status Random(MutableBytes out) override {
    std::ranges::fill(out, kTokensByte);
    return {};
  }
  Status Encrypt(TokenHandle key, Cipher cipher, ByteView nonce, ByteView aad, ByteView in,
                 MutableBytes out) override {
    watched_.nonces.emplace_back(nonce.begin(), nonce.end());
    if (watched_.failing > 0) {
      --watched_.failing;
      return Fail(Code::kTokenFailed, "injected");
    }
    return ForwardingToken::Encrypt(key, cipher, nonce, aad, in, out);
  }

 private:
  Watched& watched_;
};

class NonceTest : public KeyRingTest {
 protected:
  std::unique_ptr<Token> WorkersToken(std::unique_ptr<Token> real) override {
    return std::make_unique<WatchedToken>(std::move(real), watched_);
  }
  coffer::Random& KeyRingsRandom() override { return kernels_; }

  KernelsRandom kernels_;
  Watched watched_;
};

TEST_F(NonceTest, ANonceIsDrawnFromTheTokenAndFromTheKernelAlsoWhenItsOperationIsTriedAgain) {
  Create("orders");
  kernels_.constant = true;
  const Bytes both(12, kTokensByte ^ kKernelsByte);
  Must(Encrypt("orders", "x"));
  EXPECT_EQ(watched_.nonces, std::vector<Bytes>{both});
  watched_ = {.nonces = {}, .failing = 1};
  Must(Encrypt("orders", "x"));
  EXPECT_EQ(watched_.nonces, (std::vector<Bytes>{both, both}));
}

TEST_F(NonceTest, ANonceWhoseOperationFailedIsNotUsedAgain) {
  Create("orders");
  watched_.failing = 1;
  Must(Encrypt("orders", "x"));
  ASSERT_EQ(watched_.nonces.size(), 2U);
  EXPECT_NE(watched_.nonces[0], watched_.nonces[1]);
}

}  // namespace
}  // namespace coffer::keyring
