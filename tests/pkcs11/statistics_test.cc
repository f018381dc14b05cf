#include "coffer/pkcs11/statistics.h"

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include "operation_counters.h"
#include "pkcs11/token_fixture.h"

namespace coffer::pkcs11 {
namespace {

Statistics::Count Find(const Statistics& statistics, OperationKind kind, std::string_view name) {
  const auto found =
      std::find_if(statistics.operations.begin(), statistics.operations.end(),
                   [&](const auto& one) { return one.operation == kind && one.mechanism == name; });
  return found == statistics.operations.end() ? Statistics::Count{kind, name} : *found;
}

std::uint64_t Timed(const Statistics& statistics, OperationKind kind) {
  return statistics.durations[static_cast<std::size_t>(kind)].Count();
}

using StatisticsTest = TokenTest;

TEST_F(StatisticsTest, CountsOperationsByMechanismAndThoseThatFailedApart) {
  const ObjectHandle key = NewDataKey();
  const std::array<std::uint8_t, 12> iv{};
  std::array<std::uint8_t, 21> sealed{};
  std::array<std::uint8_t, 21> opened{};
  const Bytes plain(5, 7);
  ASSERT_TRUE(session_.EncryptGcm(key, {iv, {}}, plain, sealed));
  ASSERT_TRUE(session_.EncryptGcm(key, {iv, {}}, plain, sealed));
  ASSERT_TRUE(session_.DecryptGcm(key, {iv, {}}, sealed, opened));
  sealed[20] ^= 1;
  ASSERT_FALSE(session_.DecryptGcm(key, {iv, {}}, sealed, opened));
  const Statistics counts = module_->Counts();
  EXPECT_EQ(Find(counts, OperationKind::kGenerateKey, "CKM_AES_KEY_GEN").done, 1U);
  EXPECT_EQ(Find(counts, OperationKind::kEncrypt, "CKM_AES_GCM").done, 2U);
  EXPECT_EQ(Find(counts, OperationKind::kEncrypt, "CKM_AES_GCM").failed, 0U);
  EXPECT_EQ(Find(counts, OperationKind::kDecrypt, "CKM_AES_GCM").done, 1U);
  EXPECT_EQ(Find(counts, OperationKind::kDecrypt, "CKM_AES_GCM").failed, 1U);
}

TEST_F(StatisticsTest, CountsNothingThatTheTokenWasNotAsked) {
  std::array<std::uint8_t, 4> short_buffer{};
  const std::array<std::uint8_t, 12> iv{};
  ASSERT_FALSE(session_.DecryptGcm(1, {iv, {}}, short_buffer, short_buffer));
  EXPECT_TRUE(module_->Counts().operations.empty());
}

TEST_F(StatisticsTest, CountsObjectsMadeAlsoThoseThatAreDestroyedUntilItIsInitialisedAnew) {
  const std::uint64_t before = module_->ObjectsMade();
  const ObjectHandle key = NewDataKey();
  ASSERT_TRUE(session_.DestroyObject(key));
  NewMacKey();
  EXPECT_EQ(module_->ObjectsMade(), before + 2);
  ASSERT_TRUE(module_->Reinitialize());
  EXPECT_EQ(module_->ObjectsMade(), 0U);
}

TEST_F(StatisticsTest, TimesEveryOperation) {
  const ObjectHandle data = NewDataKey();
  const ObjectHandle mac = NewMacKey();
  const std::array<std::uint8_t, 12> iv{};
  std::array<std::uint8_t, 32> out{};
  for (int i = 0; i < 7; ++i) {
    ASSERT_TRUE(session_.EncryptGcm(data, {iv, {}}, Bytes(5, 7), out));
    ASSERT_TRUE(session_.Sign(MechanismType::kSha256Hmac, mac, Bytes(5, 7), out));
  }
  EXPECT_EQ(Timed(module_->Counts(), OperationKind::kEncrypt), 7U);
  EXPECT_EQ(Timed(module_->Counts(), OperationKind::kSign), 7U);
  EXPECT_GT(module_->Counts().durations[static_cast<std::size_t>(OperationKind::kSign)].nanoseconds,
            0U);
}

TEST_F(StatisticsTest, KnowsHowManySessionsAreOpenAlsoOverAFinalize) {
  EXPECT_EQ(module_->Counts().open_sessions, 1U);
  {
    const Session second = token_.OpenUserSession(*module_);
    EXPECT_EQ(module_->Counts().open_sessions, 2U);
    ASSERT_TRUE(module_->Reinitialize());
    EXPECT_EQ(module_->Counts().open_sessions, 0U);
  }
  EXPECT_EQ(module_->Counts().open_sessions, 0U);
}

TEST(StatisticsNamesTest, AMechanismWithoutANameCountsAsOther) {
  EXPECT_EQ(MechanismName(MechanismType::kAesGcm), "CKM_AES_GCM");
  EXPECT_EQ(MechanismName(MechanismType{0x80000001UL}), "other");
  EXPECT_EQ(MechanismName(MechanismType{0x1088UL}), "other");
}

TEST(OperationCountersTest, LosesNothingWhereThreadsCountAtOnce) {
  OperationCounters counters;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) {
        OperationCounters::Operation one(counters, OperationKind::kSign, 0);
        if (n % 2 == 0) one.Succeeded();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  Statistics sum;
  counters.AddTo(sum);
  counters.AddTo(sum);
  EXPECT_EQ(Find(sum, OperationKind::kSign, "other").done, 4000U);
  EXPECT_EQ(Find(sum, OperationKind::kSign, "other").failed, 4000U);
}

}  // namespace
}  // namespace coffer::pkcs11
