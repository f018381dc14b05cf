#include <gtest/gtest.h>

#include <array>

#include "fakes/faulty_pkcs11_module.h"
#include "pkcs11/allocation_count.h"
#include "pkcs11/token_fixture.h"

namespace coffer::pkcs11 {
namespace {

TEST(SessionHotPath, AllocatesNothingOnSuccess) {
  const fakes::SoftHsmToken token;
  const auto module = Module::Load(COFFER_FAULTY_MODULE, Threading::kOsLocking);
  ASSERT_TRUE(Succeeds(module));
  fakes::FaultyPkcs11Module faulty(COFFER_FAULTY_MODULE);
  Session session = token.OpenUserSession(**module);
  faulty.Set(fakes::Pkcs11Fault::kHollow);  // what a token allocates is not ours

  const std::array<std::uint8_t, 12> iv{};
  const std::array<std::uint8_t, 1024> in{};
  std::array<std::uint8_t, 1040> out{};
  const long before = AllocationCount();
  bool all = true;
  for (int i = 0; i < 100; ++i) {
    all &= session.EncryptGcm(1, {iv, in}, in, out).has_value();
    all &= session.DecryptGcm(1, {iv, in}, in, out).has_value();
    all &= session.EncryptChaCha20Poly1305(1, {iv, in}, in, out).has_value();
    all &= session.DecryptChaCha20Poly1305(1, {iv, in}, in, out).has_value();
    all &= session.Sign(MechanismType::kSha256Hmac, 1, in, out).has_value();
    all &= session.GenerateRandom(out).has_value();
  }
  const long after = AllocationCount();
  faulty.Set(fakes::Pkcs11Fault::kNone);
  EXPECT_TRUE(all);
  EXPECT_EQ(after - before, 0);
  EXPECT_GT(before, 0);  // it does count
}

}  // namespace
}  // namespace coffer::pkcs11
