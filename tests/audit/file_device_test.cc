#include "audit/file_device.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <set>
#include <thread>
#include <utility>

#include "audit/file_device_fixture.h"

namespace coffer::audit {
namespace {

TEST_F(FileDeviceTest, WritesChainedLinesToAFileForItsOwnerOnly) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append(std::to_string(i)));
  struct stat found {};
  ASSERT_EQ(::stat(options_.path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
  EXPECT_EQ(Lines().size(), 11U) << "ten, and the start";
  ExpectIntact();
}

TEST_F(FileDeviceTest, HasGivenALineToTheKernelWhenItSaysSo) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Append(std::to_string(i)));
    ASSERT_EQ(Count(Lines(), Id(std::to_string(i))), 1U);
  }
}

TEST_F(FileDeviceTest, HasSyncedADurableLineWhenItSaysSo) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Append(std::to_string(i), true));
    ASSERT_EQ(files_.synced_octets.load(), std::filesystem::file_size(options_.path));
  }
}

TEST_F(FileDeviceTest, SyncsByItselfAfterSoManyLines) {
  const std::uint64_t before = files_.syncs.load();
  for (std::uint64_t i = 0; i < options_.sync_entries; ++i) ASSERT_TRUE(Append("x"));
  while (files_.syncs.load() == before) std::this_thread::yield();
}

TEST_F(FileDeviceTest, ManyCallersEachGetTheirLineOnce) {
  constexpr int kThreads = 4;
  constexpr int kLines = 2000;
  std::vector<std::thread> threads;
  std::atomic<int> refused{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kLines; ++i) {
        const std::string id = std::to_string(t) + "-" + std::to_string(i);
        if (!Append(id, i % 500 == 0)) ++refused;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(refused.load(), 0);
  ASSERT_TRUE(device_->SyncedHead());
  const std::vector<std::string> lines = Lines();
  EXPECT_EQ(lines.size(), 1U + kThreads * kLines);
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), lines.size());
  ExpectIntact();
}

TEST_F(FileDeviceTest, GoesOnBehindTheLastLineAfterARestart) {
  ASSERT_TRUE(Append("a"));
  const ChainPosition at = Stop();
  EXPECT_EQ(at.sequence, 2U);
  Open({at, true});
  ASSERT_TRUE(Append("b"));
  ExpectIntact();
  EXPECT_EQ(Lines().size(), 4U);
}

TEST_F(FileDeviceTest, GoesOnInANewFileWhereTheOldOneWasMovedAwayWhileItWasStopped) {
  ASSERT_TRUE(Append("a"));
  const ChainPosition at = Stop();
  std::filesystem::rename(options_.path, directory_.Path() / "audit.log.1");
  Open({at, true});
  ASSERT_TRUE(Append("b"));
  ExpectIntact();
}

TEST_F(FileDeviceTest, BeginsANewChainWhereItsPlaceWasLostInACrash) {
  ASSERT_TRUE(Append("a"));
  const ChainPosition at = Stop();
  std::filesystem::rename(options_.path, directory_.Path() / "audit.log.1");
  Open({{at.sequence - 1, at.hash}, false});
  ASSERT_TRUE(Append("b"));
  const VerifyReport report = Report();
  EXPECT_TRUE(report.Intact());
  EXPECT_NE(report.remarks.front().find("a new chain begins"), std::string::npos);
}

TEST_F(FileDeviceTest, SaysWhatACrashLeftBehindTheLastLine) {
  ASSERT_TRUE(Append("a"));
  Stop();
  for (const std::string& torn :
       {std::string(R"({"time":"2026-1)"), std::string(100, '\0'), std::string("half\nand half")}) {
    std::ofstream(options_.path, std::ios::binary | std::ios::app) << torn;
    Open();
    ASSERT_TRUE(Append("b"));
    Stop();
    ExpectIntact();
    EXPECT_EQ(Count(Lines(), "\"torn_octets\":\"" + std::to_string(torn.size()) + "\""), 1U);
  }
}

TEST_F(FileDeviceTest, CannotBeMadeToHideAnEditAsACrash) {
  ASSERT_TRUE(Append("a"));
  ASSERT_TRUE(Append("b"));
  Stop();
  std::vector<std::string> lines = Lines();
  lines[2].replace(lines[2].find("\"b\""), 3, "\"c\"");
  std::ofstream out(options_.path, std::ios::binary);
  for (const std::string& line : lines) out << line << '\n';
  out.close();
  Open();
  const VerifyReport report = Report();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, Finding::Kind::kEdited);
  EXPECT_EQ(report.findings[0].line, 3U);
}

TEST_F(FileDeviceTest, SaysThatEntriesAreGoneWhichAChangeOfStateWasRecordedWith) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Append("x"));
  const ChainPosition at = Stop();
  std::vector<std::string> lines = Lines();
  lines.resize(3);
  std::ofstream out(options_.path, std::ios::binary);
  for (const std::string& line : lines) out << line << '\n';
  out.close();
  Open({at, false});
  EXPECT_GE(logger_.errors.load(), 1);
  const VerifyReport report = Report();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, Finding::Kind::kMissing);
  EXPECT_EQ(report.findings[0].last, at.sequence);
}

TEST_F(FileDeviceTest, AKilledProcessLeavesEveryAcceptedLineInTheFile) {
  Stop();
  for (int turn = 0; turn < 5; ++turn) {
    Killed([&] {
      for (int i = 0; i < 20; ++i) {
        if (!Append(std::to_string(turn) + "-" + std::to_string(i))) return;
      }
    });
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(Count(Lines(), Id(std::to_string(turn) + "-" + std::to_string(i))), 1U);
    }
  }
  Open();
  Stop();
  ExpectIntact();
}

TEST_F(FileDeviceTest, ClosesALineThatACrashCutShort) {
  Stop();
  for (const std::uint64_t cut : {1U, 50U, 150U}) {
    Killed([&] { static_cast<void>(Append("cut" + std::to_string(cut))); });
    std::filesystem::resize_file(options_.path, std::filesystem::file_size(options_.path) - cut);
    Open();
    ASSERT_TRUE(Append("after"));
    Stop();
  }
  EXPECT_EQ(Count(Lines(), "\"torn_octets\":\"0\""), Count(Lines(), "audit-started") - 2)
      << "of the first only the newline was missing";
  ExpectIntact();
}

TEST_F(FileDeviceTest, GoesOnWhereACrashCameBetweenARotationAndTheNewFilesFirstLine) {
  ASSERT_TRUE(Append("a"));
  const ChainPosition at = Stop();
  std::filesystem::rename(options_.path, directory_.Path() / "audit.log.000000000002");
  std::ofstream(directory_.Path() / "audit.log.1") << "not one of ours\n";
  std::ofstream(directory_.Path() / "audit.log.000000000002.gz") << "nor this one\n";
  Open({{at.sequence - 1, at.hash}, false});
  ASSERT_TRUE(Append("b"));
  Stop();
  std::filesystem::remove(directory_.Path() / "audit.log.1");
  std::filesystem::remove(directory_.Path() / "audit.log.000000000002.gz");
  const VerifyReport report = Report();
  EXPECT_EQ(report.last, 4U) << "one chain";
}

// docs/audit.md says these to users; everything else here sets its own.
TEST(FileDeviceOptions, AreWhatIsPromised) {
  using std::chrono::milliseconds;
  const FileDevice::Options options;
  EXPECT_EQ(options.write_wait, milliseconds(500));
  EXPECT_LE(options.sync_wait, milliseconds(1000));
  EXPECT_EQ(options.sync_period, milliseconds(1000));
  EXPECT_EQ(options.sync_entries, 1000U);
  EXPECT_EQ(options.checkpoint_entries, 1000U);
  EXPECT_EQ(options.upkeep_period, milliseconds(100));
  EXPECT_EQ(options.look_period, milliseconds(1000));
  EXPECT_EQ(options.warn_below_octets, 256 * 1024 * 1024);
}

TEST_F(FileDeviceTest, OneWriteTakesTheLinesThatQueuedDuringTheLastOne) {
  std::atomic<bool> enough{false};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      while (!enough) EXPECT_TRUE(Append("x"));
    });
  }
  while (files_.most_lines < 3) std::this_thread::yield();
  enough = true;
  for (std::thread& caller : callers) caller.join();
  Stop();
  ExpectIntact();
}

TEST_F(FileDeviceTest, DividesNoGroupByALineThatIsLongerThanAGroup) {
  const std::string text(1024UL * 1024, 'x');
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 4; ++i) EXPECT_TRUE(Append(text));
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(Lines().size(), 17U);
  Stop();
  ExpectIntact();
}

class SyncingDevice : public FileDeviceTest {
 protected:
  SyncingDevice() { options_.sync_wait = std::chrono::hours(1); }
  // A caller who waits for a sync, which has begun and does not end before LetSync().
  std::thread HeldSync() {
    files_.hold_syncs = true;
    const std::uint64_t syncs = files_.syncs_begun;
    std::thread durable([this] { EXPECT_TRUE(Append("synced", true)); });
    files_.syncs_begun.wait(syncs);
    return durable;
  }
  void LetSync(std::thread durable) {
    files_.hold_syncs = false;
    files_.hold_syncs.notify_all();
    durable.join();
  }
};

TEST_F(SyncingDevice, TakesLinesDuringASync) {
  std::thread durable = HeldSync();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append("meanwhile"));
  EXPECT_EQ(Count(Lines(), Id("meanwhile")), 10U);
  LetSync(std::move(durable));
}

TEST_F(SyncingDevice, TakesLinesWhileANewFilesNameIsSynced) {
  ASSERT_TRUE(Append("before", true));
  files_.hold_directories = true;
  const std::uint64_t before = files_.directories_begun;
  std::filesystem::rename(options_.path, directory_.Path() / "old.log");
  device_->Reopen();
  std::thread durable([this] {
    while (!std::filesystem::exists(options_.path)) std::this_thread::yield();
    EXPECT_TRUE(Append("durable", true));
  });
  files_.directories_begun.wait(before);
  auto taken = std::async(std::launch::async, [this] { return Append("meanwhile").has_value(); });
  EXPECT_EQ(taken.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  files_.hold_directories = false;
  files_.hold_directories.notify_all();
  EXPECT_TRUE(taken.get());
  durable.join();
  EXPECT_EQ(Count(Lines(), Id("meanwhile")), 1U);
}

TEST_F(SyncingDevice, HasEverythingOnTheDiskWhenItStopsDuringASync) {
  std::thread durable = HeldSync();
  ASSERT_TRUE(Append("late"));
  std::atomic<bool> stopping = false;
  std::thread stopper([&] {
    stopping = true;
    device_->Stop();
  });
  // Stop() says nothing before it has ended.
  while (!stopping) std::this_thread::yield();
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  LetSync(std::move(durable));
  stopper.join();
  EXPECT_EQ(Count(Lines(), Id("late")), 1U);
  EXPECT_EQ(files_.synced_octets, std::filesystem::file_size(options_.path));
}

TEST_F(FileDeviceTest, TakesNothingButACheckpointOnceItHasEnded) {
  ASSERT_TRUE(Append("last"));
  device_->End();
  EXPECT_FALSE(Append("late"));
  const auto head = device_->HeadToSign();
  ASSERT_TRUE(head);
  EXPECT_TRUE(device_->AppendCheckpoint(Signed(*head)));
  EXPECT_FALSE(device_->HeadToSign());
  Stop();
  EXPECT_EQ(Count(Lines(), Id("late")), 0U);
  const VerifyReport report = Report();
  EXPECT_EQ(report.covered + 1, report.last) << "the last entry is the checkpoint";
}

TEST_F(FileDeviceTest, TakesNoFileThatIsNoAuditFile) {
  Stop();
  std::ofstream(options_.path) << "root:x:0:0:root:/root:/bin/bash\n";
  const auto refused = TryOpen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_EQ(Lines().size(), 1U);
}

TEST_F(FileDeviceTest, FollowsNoSymbolicLink) {
  Stop();
  std::filesystem::remove(options_.path);
  std::filesystem::create_symlink(directory_.Path() / "elsewhere", options_.path);
  const auto refused = TryOpen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_FALSE(std::filesystem::exists(directory_.Path() / "elsewhere"));
}

TEST_F(FileDeviceTest, SharesItsFileWithNobody) {
  const auto second = TryOpen();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kInvalid);
}

TEST_F(FileDeviceTest, RotatesBySizeWithoutLosingALine) {
  Stop();
  options_.rotate_octets = 4000;
  Open();
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Append("r" + std::to_string(i), i % 50 == 0));
  Stop();
  ASSERT_GT(Files().size(), 3U);
  std::vector<std::string> all;
  for (const auto& file : Files()) {
    const auto lines = LinesOf(file);
    all.insert(all.end(), lines.begin(), lines.end());
  }
  for (int i = 0; i < 300; ++i) EXPECT_EQ(Count(all, Id("r" + std::to_string(i))), 1U) << i;
  ExpectIntact();
}

TEST_F(FileDeviceTest, GoesOnInANewFileWhenItIsToldThatTheOldOneWasRenamed) {
  ASSERT_TRUE(Append("a"));
  std::filesystem::rename(options_.path, directory_.Path() / "audit.log.1");
  device_->Reopen();
  while (!std::filesystem::exists(options_.path)) ASSERT_TRUE(Append("meanwhile"));
  while (Count(Lines(), "audit-file-opened") == 0) std::this_thread::yield();
  ASSERT_TRUE(Append("b", true));
  EXPECT_EQ(Count(Lines(), Id("b")), 1U);
  Stop();
  ExpectIntact();
}

TEST_F(FileDeviceTest, DoesNothingWhenItIsToldToReopenAFileThatIsThere) {
  device_->Reopen();
  ASSERT_TRUE(Append("a", true));
  EXPECT_EQ(Count(Lines(), "audit-file-opened"), 0U);
}

TEST_F(FileDeviceTest, KeepsTheOrderOfItsChainWhenTheClockGoesBack) {
  ASSERT_TRUE(Append("a"));
  clock_.now -= 3'600'000'000'000;
  ASSERT_TRUE(Append("b", true));
  device_->Reopen();
  ASSERT_TRUE(Append("c"));
  Stop();
  ExpectIntact();
}

TEST_F(FileDeviceTest, AsksForACheckpointAfterSoManyEntriesAndSignsWhatIsNew) {
  EXPECT_TRUE(device_->HeadToSign()) << "the start";
  while (asked_.load() == 0) ASSERT_TRUE(Append("x"));
  const auto head = device_->HeadToSign();
  ASSERT_TRUE(head);
  EXPECT_EQ(head->sequence, options_.checkpoint_entries);
  ASSERT_TRUE(device_->AppendCheckpoint(Signed(*head)));
  EXPECT_FALSE(device_->HeadToSign()) << "a checkpoint needs none of its own";
  ASSERT_TRUE(Append("y"));
  EXPECT_TRUE(device_->HeadToSign());
  const VerifyReport report = Report();
  EXPECT_EQ(report.checkpoints, 1U);
  EXPECT_EQ(report.covered, head->sequence);
}

TEST_F(FileDeviceTest, WarnsBeforeTheDiskIsFull) {
  Stop();
  options_.look_period = std::chrono::milliseconds(1);
  Open();
  files_.free_space = 1024;
  while (logger_.warnings.load() == 0) ASSERT_TRUE(Append("x"));
}

}  // namespace
}  // namespace coffer::audit
