#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <random>

#include "audit/file_device_fixture.h"

namespace coffer::audit {
namespace {

class DeviceFaults : public FileDeviceTest {
 protected:
  DeviceFaults() { options_.write_wait = std::chrono::milliseconds(50); }
  void ExpectRefused(bool durable = false) {
    const Status refused = Append("refused", durable);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kUnavailable);
    EXPECT_FALSE(device_->Healthy());
  }
};

TEST_F(DeviceFaults, AnyErrorOfAWriteRefusesUntilItHasPassed) {
  for (const int error : {EIO, ENOSPC, EDQUOT, EFBIG, EPIPE, EROFS, EBADF, EINVAL, ENXIO}) {
    ASSERT_TRUE(Append("before"));
    files_.write_error = error;
    ExpectRefused();
    ExpectRefused(true);
    files_.write_error = 0;
    AppendWhenBack("after", true);
    EXPECT_TRUE(device_->Healthy());
  }
  EXPECT_EQ(Count(Lines(), "audit-recovered"), 9U);
  EXPECT_EQ(Count(Lines(), Id("refused")), 0U);
  Stop();
  ExpectIntact();
}

TEST_F(DeviceFaults, AfterAnErrorNothingIsAcceptedBeforeTheFileWasOpenedAnew) {
  files_.open_error = EMFILE;
  files_.write_error = EIO;
  ExpectRefused();
  files_.write_error = 0;
  const std::uint64_t before = files_.failed_opens;
  while (files_.failed_opens < before + 3) ExpectRefused();
  files_.open_error = 0;
  AppendWhenBack("after", true);
  Stop();
  ExpectIntact();
}

TEST_F(DeviceFaults, AWriteThatHangsRefusesTheOthersUntilItHasEnded) {
  files_.LetWrites(files_.writes);
  std::thread leader([&] { static_cast<void>(Append("hangs")); });
  files_.AwaitHeldWrite();
  for (int i = 0; i < 100; ++i) ExpectRefused();
  files_.LetWrites(UINT64_MAX);
  leader.join();
  AppendWhenBack("after", true);
  EXPECT_EQ(Count(Lines(), Id("hangs")), 1U);
  EXPECT_EQ(Count(Lines(), Id("refused")), 0U);
  Stop();
  ExpectIntact();
}

TEST_F(DeviceFaults, AnOutageLeavesOneEntryHoweverOftenTheDeviceTried) {
  for (const bool something_waits : {true, false}) {
    if (something_waits) {
      files_.write_error = ENOSPC;
      ExpectRefused();
    } else {
      files_.sync_error = EIO;
      ExpectRefused(true);
      files_.write_error = ENOSPC;
      files_.sync_error = 0;
    }
    const std::uint64_t before = files_.failed_writes.load();
    while (files_.failed_writes.load() < before + 10) std::this_thread::yield();
    files_.write_error = 0;
    AppendWhenBack("after", true);
  }
  EXPECT_EQ(Count(Lines(), "audit-recovered"), 2U);
  Stop();
  ExpectIntact();
}

TEST_F(DeviceFaults, ADeviceThatBlocksRefusesInsteadOfWaiting) {
  files_.write_error = EAGAIN;
  std::vector<std::thread> callers;
  std::atomic<int> refused{0};
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] { refused += Append("blocked") ? 0 : 1; });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused.load(), 4);
  files_.write_error = 0;
  AppendWhenBack("after");
  Stop();
  ExpectIntact();
}

// The look for the file finds it gone while a caller waits for the disk: his line went with it.
TEST_F(DeviceFaults, ALineOfADeletedFileIsNotTakenForSynced) {
  Stop();
  options_.look_period = options_.upkeep_period;
  options_.sync_wait = std::chrono::hours(1);
  files_.hold_looks = true;
  const std::uint64_t looks = files_.looks_begun;
  Open();
  files_.looks_begun.wait(looks);
  std::filesystem::remove(options_.path);
  const std::uint64_t accepted = device_->Count().accepted;
  std::thread durable([&] { EXPECT_FALSE(Append("gone", true)); });
  while (device_->Count().accepted == accepted) std::this_thread::yield();
  ASSERT_TRUE(Append("written"));  // and "gone" before it
  files_.hold_looks = false;
  files_.hold_looks.notify_all();
  durable.join();
  AppendWhenBack("after", true);
  EXPECT_EQ(Count(Lines(), Id("after")), 1U);
}

TEST_F(DeviceFaults, ALineThatAFullDiskCutShortIsClosedWhenThereIsRoom) {
  for (std::int64_t room = 1; room < 500; room += 23) {
    ASSERT_TRUE(Append("before"));
    files_.room = room;
    while (Append("fills")) {
    }
    EXPECT_LE(files_.room.load(), 0);
    files_.room = INT64_MAX;
    AppendWhenBack("after");
  }
  Stop();
  ExpectIntact();
}

TEST_F(DeviceFaults, ALineThatAFullDiskCutShortIsClosedByTheNextProcess) {
  for (std::int64_t room = 0; room < 700; room += 97) {
    files_.room = room;
    while (Append("fills")) {
    }
    Stop();
    files_.room = INT64_MAX;
    Open();
  }
  Stop();
  ExpectIntact();
}

TEST_F(DeviceFaults, TheVeryFirstLineCutShortIsClosedByTheNextProcess) {
  for (const std::int64_t room : {1, 5, 60, 100}) {
    Stop();
    std::filesystem::remove(options_.path);
    files_.room = room;
    Open();
    EXPECT_FALSE(device_->Healthy());
    Stop();
    files_.room = INT64_MAX;
    Open();
    ASSERT_TRUE(Append("a"));
    const std::vector<std::string> lines = Lines();
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0].size(), static_cast<std::size_t>(room));
    EXPECT_EQ(Count(lines, "\"torn_octets\":\"" + std::to_string(room) + "\""), 1U);
    for (std::size_t i = 1; i < lines.size(); ++i) {
      SealedLine sealed;
      EXPECT_TRUE(ReadSealedLine(lines[i], sealed) && sealed.Intact()) << lines[i];
    }
    ExpectIntact();
  }
}

TEST_F(DeviceFaults, NoLineStandsInTwoFilesWhereTheFullOneWasMovedAway) {
  files_.room = 5100;
  int accepted = 0;
  while (Append("m" + std::to_string(accepted))) ++accepted;
  ASSERT_FALSE(device_->Healthy());
  const ChainPosition at = Stop();
  std::filesystem::rename(options_.path, directory_.Path() / "audit.log.1");
  files_.room = INT64_MAX;
  Open({at, true});
  Stop();
  std::vector<std::string> all;
  for (const auto& file : Files()) {
    const auto lines = LinesOf(file);
    all.insert(all.end(), lines.begin(), lines.end());
  }
  for (int i = 0; i < accepted; ++i) {
    const std::string whole = Id("m" + std::to_string(i)) + "}";
    std::size_t found = 0;
    for (const std::string& line : all) {
      SealedLine sealed;
      found += line.find(whole) != std::string::npos && ReadSealedLine(line, sealed) ? 1 : 0;
    }
    EXPECT_EQ(found, 1U) << i;
  }
}

TEST_F(DeviceFaults, NothingIsWrittenTwiceIntoTheFileThatTakesTheFullOnesPlace) {
  ASSERT_TRUE(Append("a"));
  files_.room = 40;
  ExpectRefused();
  std::filesystem::rename(options_.path, directory_.Path() / "audit.log.1");
  device_->Reopen();
  files_.room = INT64_MAX;
  AppendWhenBack("b");
  Stop();
  for (const std::string& line : Lines()) {
    SealedLine sealed;
    EXPECT_TRUE(ReadSealedLine(line, sealed) && sealed.Intact()) << line;
  }
  ExpectIntact();
}

TEST_F(DeviceFaults, AFullDiskThatFreesALittleRoomAtATimeTearsNothing) {
  files_.room = 0;
  ExpectRefused();
  for (int i = 0; i < 100; ++i) {
    files_.room = 7;
    while (files_.room.load() > 0) static_cast<void>(Append("fills"));
  }
  files_.room = INT64_MAX;
  AppendWhenBack("after");
  Stop();
  ExpectIntact();
}

TEST_F(DeviceFaults, AFailedSyncRefusesWhatMustBeDurable) {
  files_.sync_error = EIO;
  ExpectRefused(true);
  EXPECT_FALSE(device_->SyncedHead());
  files_.sync_error = 0;
  AppendWhenBack("after", true);
  const auto head = device_->SyncedHead();
  ASSERT_TRUE(head);
  EXPECT_EQ(files_.synced_octets.load(), std::filesystem::file_size(options_.path));
  Stop();
  ExpectIntact();
}

TEST_F(DeviceFaults, ADeletedFileIsMadeAnewAndIsNoRecord) {
  ASSERT_TRUE(Append("lost with the file", true));
  std::filesystem::remove(options_.path);
  AppendWhenBack("after", true);
  EXPECT_EQ(Count(Lines(), Id("after")), 1U);
  const VerifyReport report = Report();
  ASSERT_FALSE(report.Intact());
  EXPECT_EQ(report.findings[0].kind, Finding::Kind::kMissing);
}

TEST_F(DeviceFaults, ADirectoryThatIsNotThereRefusesUntilItIs) {
  Stop();
  options_.path = directory_.Path() / "later" / "audit.log";
  Open();
  ExpectRefused();
  std::filesystem::create_directory(directory_.Path() / "later");
  AppendWhenBack("after");
  EXPECT_EQ(Count(Lines(), "audit-started"), 1U);
  EXPECT_EQ(Count(Lines(), Id("after")), 1U);
}

TEST_F(DeviceFaults, AnUnwritableDirectoryRefusesAfterARotationUntilItIsWritable) {
  ASSERT_TRUE(Append("a"));
  std::filesystem::rename(options_.path, directory_.Path() / "audit.log.1");
  files_.open_error = EACCES;
  device_->Reopen();
  while (device_->Healthy()) std::this_thread::yield();
  ExpectRefused();
  files_.open_error = 0;
  AppendWhenBack("b");
  Stop();
  ExpectIntact();
}

TEST_F(DeviceFaults, AFailedRenameLeavesTheFileInUse) {
  Stop();
  options_.rotate_octets = 2000;
  files_.rename_error = EACCES;
  Open();
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(Append("x"));
  while (logger_.errors.load() == 0) std::this_thread::yield();
  ASSERT_TRUE(Append("y", true));
  EXPECT_EQ(Files().size(), 1U);
  Stop();
  ExpectIntact();
}

TEST_F(DeviceFaults, AnErrorOfReadingAtTheStartIsAnErrorOfTheStart) {
  Stop();
  files_.read_error = EIO;
  EXPECT_FALSE(TryOpen());
}

class PipeDevice : public DeviceFaults {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    ASSERT_EQ(::mkfifo(options_.path.c_str(), 0600), 0);
    Open();
  }
  int Reader() { return ::open(options_.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }
};

TEST_F(PipeDevice, WithoutAReaderRefusesAndWithOneComesBack) {
  ExpectRefused();
  const int reader = Reader();
  AppendWhenBack("read");
  std::array<char, 65536> text{};
  const ssize_t got = ::read(reader, text.data(), text.size());
  EXPECT_NE(std::string(text.data(), static_cast<std::size_t>(got)).find(Id("read")),
            std::string::npos);
  ::close(reader);
  while (Append("nobody reads")) {
  }
  const int again = Reader();
  AppendWhenBack("read again");
  ::close(again);
}

TEST_F(PipeDevice, WhoseReaderSleepsRefusesAndLosesNoLineOfWhatItTook) {
  const int reader = Reader();
  AppendWhenBack("first");
  int taken = 0;
  while (Append("t" + std::to_string(taken))) ++taken;
  std::string all;
  std::array<char, 65536> text{};
  const auto drain = [&] {
    for (ssize_t got = 0; (got = ::read(reader, text.data(), text.size())) > 0;) {
      all.append(text.data(), static_cast<std::size_t>(got));
    }
  };
  while (!Append("last")) drain();
  drain();
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = all.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    lines.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  for (int i = 0; i < taken; ++i) EXPECT_EQ(Count(lines, Id("t" + std::to_string(i))), 1U) << i;
  for (const Finding& finding : ChainBuilder::Check(lines, signer_key_).findings) {
    EXPECT_EQ(finding.kind, Finding::Kind::kUnproven) << finding.text;
  }
  ::close(reader);
}

// The disk keeps what was synced and any part of the rest.
TEST_F(DeviceFaults, APowerCutLosesNoDurableLineAndTheDeviceGoesOn) {
  std::mt19937 random(7);
  int number = 0;
  for (int turn = 0; turn < 60; ++turn) {
    std::vector<std::string> acknowledged;
    for (std::size_t i = 0; i < 5 + random() % 20; ++i) {
      const bool durable = random() % 3 == 0;
      const std::string id = "p" + std::to_string(number++);
      ASSERT_TRUE(Append(id, durable));
      if (durable) acknowledged.push_back(id);
    }
    const std::uint64_t synced = files_.synced_octets.load();
    Stop();
    const std::uint64_t size = std::filesystem::file_size(options_.path);
    ASSERT_LE(synced, size);
    std::filesystem::resize_file(options_.path, synced + random() % (size - synced + 1));
    const std::vector<std::string> lines = Lines();
    for (const std::string& id : acknowledged) ASSERT_EQ(Count(lines, Id(id)), 1U) << id;
    Open();
  }
  Stop();
  ExpectIntact();
}

}  // namespace
}  // namespace coffer::audit
