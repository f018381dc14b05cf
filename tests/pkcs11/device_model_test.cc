// The module that stands in for a device: what it does to its callers is what its settings say.

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "fakes/faulty_pkcs11_module.h"
#include "pkcs11/token_fixture.h"

namespace coffer::pkcs11 {
namespace {

class DeviceModelTest : public ::testing::Test {
 protected:
  Session NewSession() { return token_.OpenUserSession(*module_); }
  Status Sign(Session& session) {
    std::array<std::uint8_t, 32> out{};
    COFFER_TRY(session.Sign(MechanismType::kSha256Hmac, key_, out, out));
    return {};
  }

  fakes::SoftHsmToken token_;
  std::unique_ptr<Module> module_ =
      Module::Load(COFFER_FAULTY_MODULE, Threading::kOsLocking).value();
  fakes::FaultyPkcs11Module faulty_{COFFER_FAULTY_MODULE};
  fakes::DeviceModel& device_ = faulty_.Device();
  Session keeper_ = NewSession();
  ObjectHandle key_ =
      keeper_.GenerateKey(MechanismType::kGenericSecretKeyGen, MacKey()).value_or(kNoObject);
};

TEST_F(DeviceModelTest, AFurtherSessionIsRefusedAndAClosedOneMakesRoom) {
  device_.max_sessions = device_.OpenSessions() + 1;
  const SlotId slot = *module_->FindToken(token_.Label());
  {
    const auto last = module_->OpenSession(slot);
    ASSERT_TRUE(Succeeds(last));
    const auto refused = module_->OpenSession(slot);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().cause.find("CKR_SESSION_COUNT"), std::string::npos);
  }
  EXPECT_TRUE(Succeeds(module_->OpenSession(slot)));
}

TEST_F(DeviceModelTest, ADroppedSessionIsGoneAndTheOthersGoOn) {
  Session session = NewSession();
  device_.drop_session_every = device_.Operations() + 1;
  const Status dropped = Sign(session);
  ASSERT_FALSE(dropped);
  EXPECT_NE(dropped.error().cause.find("CKR_SESSION_HANDLE_INVALID"), std::string::npos);
  EXPECT_TRUE(Succeeds(Sign(keeper_)));
}

TEST_F(DeviceModelTest, DeviceErrorsComeInBurstsAndLeaveNoOperationActive) {
  device_.device_errors = 3;
  device_.device_error_every = 5;
  int failed = 0;
  for (int i = 0; i < 16; ++i) {
    const Status done = Sign(keeper_);
    if (!done) {
      ++failed;
      EXPECT_NE(done.error().cause.find("CKR_DEVICE_ERROR"), std::string::npos);
    }
  }
  EXPECT_EQ(failed, 6);
  device_.device_error_every = 0;
  EXPECT_TRUE(Succeeds(Sign(keeper_)));
}

TEST_F(DeviceModelTest, OperationsTakeTheirTimeSideBySide) {
  constexpr int kThreads = 8;
  device_.latency_us = 100'000;  // longer than it takes to start a thread
  std::vector<Session> sessions;
  for (int i = 0; i < kThreads; ++i) sessions.push_back(NewSession());
  std::vector<std::thread> threads;
  threads.reserve(sessions.size());
  for (Session& session : sessions) {
    threads.emplace_back([this, &session] { EXPECT_TRUE(Succeeds(Sign(session))); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(device_.MostAtOnce(), 1);
}

}  // namespace
}  // namespace coffer::pkcs11
