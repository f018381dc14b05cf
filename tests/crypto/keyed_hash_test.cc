#include "coffer/crypto/keyed_hash.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace coffer::crypto {
namespace {

SecretBytes Key(std::size_t size, std::uint8_t octet) { return SecretBytes(Bytes(size, octet)); }

// RFC 4231, test cases 1, 2 and 6 (a key longer than a block).
TEST(KeyedHash, IsHmacSha256OfRfc4231) {
  EXPECT_EQ(ToHex(KeyedHash(Key(20, 0x0b)).Of(AsBytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(ToHex(KeyedHash(SecretBytes::CopyOf(AsBytes("Jefe")))
                      .Of(AsBytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(ToHex(KeyedHash(Key(131, 0xaa))
                      .Of(AsBytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(KeyedHash, TakesAnEmptyKeyAndEmptyData) {
  EXPECT_EQ(ToHex(KeyedHash(SecretBytes()).Of({})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(KeyedHash, RemembersNothingOfTheValueBefore) {
  const SecretBytes key = Key(32, 7);
  const KeyedHash used(key);
  std::string text;
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(used.Of(AsBytes(text)), KeyedHash(key).Of(AsBytes(text))) << i;
    text += static_cast<char>('a' + i % 26);
  }
}

TEST(KeyedHash, ServesManyThreadsAtOnce) {
  const SecretBytes key = Key(32, 9);
  const KeyedHash hash(key);
  const auto expected = KeyedHash(key).Of(AsBytes("value"));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 2000; ++k) wrong += hash.Of(AsBytes("value")) != expected ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace coffer::crypto
