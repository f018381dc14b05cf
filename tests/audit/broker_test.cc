#include "coffer/audit/broker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "audit/broker_fixture.h"

namespace coffer::audit {
namespace {

TEST_F(BrokerTest, TakesEverythingWithoutADevice) {
  EXPECT_TRUE(Record("a", true));
  EXPECT_TRUE(ChangeSomething());
  EXPECT_TRUE(broker_->Healthy());
}

TEST_F(BrokerTest, EachDeviceHasAllEntriesAndASaltOfItsOwn) {
  ASSERT_TRUE(broker_->Enable(Named("a/", "a.log")));
  ASSERT_TRUE(broker_->Enable(Named("b/", "b.log")));
  ASSERT_TRUE(Record("1"));
  const auto a = Lines("a.log").back();
  const auto b = Lines("b.log").back();
  EXPECT_EQ(a["request"]["id"], "1");
  EXPECT_EQ(b["request"]["id"], "1");
  EXPECT_NE(a["request"]["data"]["plaintext"], b["request"]["data"]["plaintext"]);
  EXPECT_EQ(a["request"]["data"]["plaintext"], broker_->HashOf("a/", "value").value());
  EXPECT_FALSE(broker_->HashOf("c/", "value"));
}

TEST_F(BrokerTest, WhatIsKeptOfARequestIsKeptForEachDeviceApart) {
  ASSERT_TRUE(broker_->Enable(Named("a/", "a.log")));
  ASSERT_TRUE(broker_->Enable(Named("b/", "b.log")));
  RequestMemo memo;
  Entry entry;
  entry.request_id = "1";
  entry.request_data = R"({"plaintext":"value"})";
  entry.memo = &memo;
  ASSERT_TRUE(broker_->Record(entry));
  entry.request_data = {};  // what was written of it is repeated
  entry.type = Entry::Type::kResponse;
  entry.status = 200;
  ASSERT_TRUE(broker_->Record(entry));
  for (const std::string device : {"a", "b"}) {
    const auto lines = Lines(device + ".log");
    const auto& first = lines[lines.size() - 2];
    EXPECT_EQ(lines.back()["type"], "response");
    EXPECT_EQ(lines.back()["request"], first["request"]);
    EXPECT_EQ(first["request"]["data"]["plaintext"],
              broker_->HashOf(device + "/", "value").value());
  }
}

// A request whose entry may wait for that of its answer.
class WaitingEntry : public BrokerTest {
 protected:
  void SetUp() override {
    BrokerTest::SetUp();
    ASSERT_TRUE(broker_->Enable(Named("a/", "audit.log")));
    entry_.request_id = "1";
    entry_.caller = &caller_;
    entry_.memo = &memo_;
    entry_.may_wait = true;
  }
  Status Ask() { return broker_->Record(entry_); }
  Status Answer() {
    entry_.type = Entry::Type::kResponse;
    return broker_->Record(entry_);
  }

  const Caller caller_{};
  RequestMemo memo_;
  Entry entry_;
};

TEST_F(WaitingEntry, IsWrittenByOneWriteWithThatOfTheAnswer) {
  const std::size_t before = Lines().size();
  const std::uint64_t writes = files_.writes;
  ASSERT_TRUE(Ask());
  ASSERT_TRUE(Record("2"));
  EXPECT_EQ(Lines().size(), before + 1) << "nobody waits for those that wait";
  ASSERT_TRUE(Answer());
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), before + 3);
  EXPECT_EQ(files_.writes, writes + 2);
  EXPECT_EQ(lines[before + 1]["type"], "request");
  EXPECT_EQ(lines[before + 2]["type"], "response");
  EXPECT_EQ(lines[before + 1]["request"], lines[before + 2]["request"]);
  EXPECT_LE(lines[before + 1]["time"], lines[before]["time"]) << "the time at which it was asked";
  EXPECT_TRUE(Check().Intact());
}

TEST_F(WaitingEntry, IsWrittenOnceThoughTheAnswerIsTriedAgain) {
  ASSERT_TRUE(Ask());
  ASSERT_TRUE(Answer());
  const std::size_t before = Lines().size();
  ASSERT_TRUE(Answer());
  EXPECT_EQ(Lines().size(), before + 1);
}

TEST_F(WaitingEntry, IsRefusedWhileNoDeviceTakesRecords) {
  files_.write_error = EIO;
  files_.open_error = EIO;
  ASSERT_FALSE(Record("2"));
  const Status refused = Ask();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
}

TEST_F(WaitingEntry, WithholdsTheAnswerWhereTheDeviceFailsMeanwhile) {
  const std::size_t before = Lines().size();
  ASSERT_TRUE(Ask());
  files_.write_error = EIO;
  files_.open_error = EIO;
  const Status refused = Answer();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_EQ(Lines().size(), before);
}

TEST_F(WaitingEntry, OfAChangeOfStateDoesNotWait) {
  const std::size_t before = Lines().size();
  entry_.durable = true;
  ASSERT_TRUE(Ask());
  EXPECT_EQ(Lines().size(), before + 1);
}

TEST_F(WaitingEntry, DoesNotHideADenialThatTheWorkFinds) {
  ASSERT_TRUE(Ask());
  entry_.denied = true;
  ASSERT_TRUE(Answer());
  const auto lines = Lines();
  EXPECT_EQ(lines[lines.size() - 2]["auth"]["policy_results"]["allowed"], true);
  EXPECT_EQ(lines.back()["auth"]["policy_results"]["allowed"], false);
}

TEST_F(WaitingEntry, GoesWithADeviceThatIsDisabledMeanwhile) {
  ASSERT_TRUE(Ask());
  ASSERT_TRUE(broker_->Enable(Named("b/", "b.log")));
  ASSERT_TRUE(broker_->Disable("a/"));
  const std::size_t before = Lines("b.log").size();
  ASSERT_TRUE(Answer());
  EXPECT_EQ(Lines("b.log").size(), before + 1) << "a device has what happens while it is there";
}

TEST_F(BrokerTest, DevicesAndTheirSaltsOutliveTheProcess) {
  ASSERT_TRUE(broker_->Enable(Named("a/", "audit.log")));
  ASSERT_TRUE(Record("1"));
  const std::string hash = broker_->HashOf("a/", "x").value();
  Stop();
  Start();
  ASSERT_EQ(broker_->List().size(), 1U);
  EXPECT_EQ(broker_->HashOf("a/", "x").value(), hash);
  ASSERT_TRUE(Record("2"));
  EXPECT_TRUE(Check().Intact());
}

TEST_F(BrokerTest, TheApiReachesNoFileOutsideTheDirectory) {
  for (const std::string& file :
       {std::string("/etc/passwd"), std::string("../x"), std::string("a/b"), std::string(".x"),
        std::string(), std::string("x\ny"), std::string(200, 'a'),
        (Directory() / ".." / "x").string(), folder_.Path().string()}) {
    const Status refused = broker_->Enable(Named("a/", file));
    ASSERT_FALSE(refused) << file;
    EXPECT_EQ(refused.error().code, Code::kInvalid);
  }
  EXPECT_TRUE(broker_->Enable(Named("a/", File().string())));
  EXPECT_FALSE(broker_->Enable(Named("a/", "other.log"))) << "the name is taken";
  EXPECT_FALSE(broker_->Enable(Named("b/", "audit.log"))) << "the file is taken";
}

TEST_F(BrokerTest, TheApiCannotMakeEveryRecordWaitForEverMoreDevices) {
  for (int i = 0; i < 8; ++i) {
    const std::string name = "d" + std::to_string(i);
    ASSERT_TRUE(broker_->Enable(Named(name + "/", name + ".log"))) << name;
  }
  const Status refused = broker_->Enable(Named("more/", "more.log"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "a server has at most 8 audit devices: disable one first");
  EXPECT_FALSE(fs::exists(File("more.log")));
  ASSERT_TRUE(broker_->Disable("d3/"));
  EXPECT_TRUE(broker_->Enable(Named("more/", "more.log")));
}

TEST_F(BrokerTest, ADeviceHasAShortNameAndDescription) {
  EXPECT_FALSE(broker_->Enable(Named(std::string(256, 'n') + "/", "a.log")));
  DeviceSettings described = Named("a/", "a.log");
  described.description = std::string(4097, 'd');
  EXPECT_FALSE(broker_->Enable(described));
  EXPECT_TRUE(broker_->Enable(Named(std::string(255, 'n') + "/", "a.log")));
}

TEST_F(BrokerTest, ADeviceThatCannotWriteIsNotEnabled) {
  files_.write_error = ENOSPC;
  const Status refused = broker_->Enable(Named("a/", "audit.log"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_TRUE(broker_->List().empty());
}

TEST_F(BrokerTest, DeclaredDevicesComeAndGoWithTheConfiguration) {
  DeviceSettings declared = Named("main/", File().string());
  declared.declared = true;
  Stop();
  Start({declared});
  ASSERT_TRUE(Record("1"));
  EXPECT_FALSE(broker_->Disable("main/"));
  ASSERT_TRUE(Record("2"));
  EXPECT_EQ(Lines().size(), 4U) << "the start, its checkpoint and the records";
  Stop();
  Start();
  EXPECT_TRUE(broker_->List().empty());
}

TEST_F(BrokerTest, ADeclaredFileThatIsNoneOfOursStopsTheStart) {
  std::ofstream(File()) << "something\n";
  DeviceSettings declared = Named("main/", File().string());
  declared.declared = true;
  Stop();
  const Status refused = TryStart({declared});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("main/"), std::string::npos);
}

TEST_F(BrokerTest, AChangeOfStateKnowsWhereTheSyncedChainStands) {
  ASSERT_TRUE(broker_->Enable(Named("a/", "audit.log")));
  ASSERT_TRUE(Record("1"));
  ASSERT_TRUE(ChangeSomething());
  EXPECT_EQ(KnownSequence(), 3) << "the start, its checkpoint and the record";
  EXPECT_EQ(files_.synced_octets.load(), fs::file_size(File()));
}

TEST_F(BrokerTest, NothingIsCommittedThatNoDeviceHasOnTheDisk) {
  ASSERT_TRUE(broker_->Enable(Named("a/", "audit.log")));
  ASSERT_TRUE(Record("1"));
  files_.sync_error = EIO;
  const Status refused = ChangeSomething();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  files_.sync_error = 0;
  while (!ChangeSomething()) std::this_thread::yield();
}

TEST_F(BrokerTest, OneDeviceThatWorksIsEnough) {
  std::signal(SIGPIPE, SIG_IGN);
  ASSERT_EQ(::mkfifo(File("pipe").c_str(), 0600), 0);
  const int reader = ::open(File("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_TRUE(broker_->Enable(Named("a/", "pipe")));
  ASSERT_TRUE(broker_->Enable(Named("b/", "b.log")));
  ::close(reader);
  ASSERT_TRUE(Record("1", true));
  EXPECT_TRUE(ChangeSomething());
  EXPECT_TRUE(broker_->Healthy());
  EXPECT_EQ(Lines("b.log").back()["request"]["id"], "1");
  files_.write_error = EIO;
  EXPECT_FALSE(Record("2"));
  EXPECT_FALSE(broker_->Healthy());
  files_.write_error = 0;
}

TEST_F(BrokerTest, CheckpointsCoverWhatWasRecordedAndAreMadeOnce) {
  ASSERT_TRUE(broker_->Enable(Named("a/", "audit.log")));
  ASSERT_TRUE(Record("1"));
  broker_->Checkpoint();
  broker_->Checkpoint();
  const VerifyReport report = Check();
  EXPECT_TRUE(report.Intact());
  EXPECT_EQ(report.checkpoints, 2U) << "one signs the start";
  EXPECT_EQ(report.covered, 3U);
  while (wanted_.load() == 0) ASSERT_TRUE(Record("x"));
}

TEST_F(BrokerTest, ALostOrLyingTokenMakesNoCheckpointAndNoOutage) {
  ASSERT_TRUE(broker_->Enable(Named("a/", "audit.log")));
  ASSERT_TRUE(Record("0"));
  signer_.lost = true;
  broker_->Checkpoint();
  signer_.lost = false;
  signer_.wrong = true;
  broker_->Checkpoint();
  EXPECT_TRUE(Record("1"));
  EXPECT_EQ(Check().checkpoints, 1U);
  signer_.wrong = false;
  broker_->Checkpoint();
  EXPECT_EQ(Check().checkpoints, 2U);
}

// A sanitizer says it where the set is not held.
TEST_F(BrokerTest, ADeviceMayGoWhileAnotherThreadGoesThroughThem) {
  ASSERT_TRUE(broker_->Enable(Named("a/", "a.log")));
  ASSERT_TRUE(broker_->Enable(Named("b/", "b.log")));
  files_.LetWrites(files_.writes);
  std::thread user([&] { EXPECT_TRUE(Record("1")); });
  files_.AwaitHeldWrite();
  std::thread changer([&] { EXPECT_TRUE(broker_->Disable("b/")); });
  while (broker_->List().size() == 2) std::this_thread::yield();
  files_.LetWrites(UINT64_MAX);
  user.join();
  changer.join();
  EXPECT_EQ(Lines("a.log").back()["request"]["id"], "1");
}

TEST_F(BrokerTest, AChainsStartIsSignedAtOnceAndAfterEachRestart) {
  ASSERT_TRUE(broker_->Enable(Named("a/", "audit.log")));
  EXPECT_EQ(Check().covered, 1U);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Record("1"));
    Stop();  // without a checkpoint: as after a kill
    Start();
    const VerifyReport report = Check();
    EXPECT_EQ(report.covered + 1, report.last) << "the last entry is the checkpoint";
  }
}

TEST_F(BrokerTest, ADeviceThatEndsLeavesACheckpointOverItsLastEntry) {
  for (const bool disabled : {true, false}) {
    ASSERT_TRUE(broker_->Enable(Named("a/", "audit.log")));
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(Record(std::to_string(i), true));
    if (disabled) {
      ASSERT_TRUE(broker_->Disable("a/"));
    } else {
      broker_->SignOff();
      EXPECT_FALSE(Record("late"));
    }
    EXPECT_EQ(Lines().back()["type"], "checkpoint");
    const VerifyReport report = Check();
    EXPECT_TRUE(report.Intact());
    EXPECT_EQ(report.covered + 1, report.last);
  }
}

TEST_F(BrokerTest, ADisabledDeviceTakesNothingAndItsNameIsFree) {
  ASSERT_TRUE(broker_->Enable(Named("a/", "audit.log")));
  ASSERT_TRUE(broker_->Disable("a/"));
  ASSERT_TRUE(broker_->Disable("a/")) << "gone is gone";
  const std::size_t before = Lines().size();
  ASSERT_TRUE(Record("1"));
  EXPECT_EQ(Lines().size(), before);
  ASSERT_TRUE(broker_->Enable(Named("a/", "audit.log"))) << "goes on in its file";
  EXPECT_TRUE(Check().Intact());
}

}  // namespace
}  // namespace coffer::audit
