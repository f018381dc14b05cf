#include "server/log/log_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <string>

namespace coffer::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

std::string DroppedLine(std::uint64_t dropped) {
  return "dropped " + std::to_string(dropped) + "\n";
}

// A pipe, and what was read of it.
class LogWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // as in the server
    ASSERT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
  }
  void TearDown() override {
    CloseReader();
    if (ends_[1] >= 0) ::close(ends_[1]);
  }
  void CloseReader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }
  // Reads until `what` was seen.
  std::string ReadUntil(std::string_view what) {
    std::string text;
    char block[4096];
    while (text.find(what) == std::string::npos) {
      const ssize_t got = ::read(ends_[0], block, sizeof block);
      if (got <= 0) break;
      text.append(block, static_cast<std::size_t>(got));
    }
    return text;
  }
  // Fills the pipe, so that a thread that writes to it waits.
  std::size_t FillPipe() {
    ::fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    const std::string block(4096, 'x');
    std::size_t filled = 0;
    ssize_t wrote = 0;
    while ((wrote = ::write(ends_[1], block.data(), block.size())) > 0) {
      filled += static_cast<std::size_t>(wrote);
    }
    ::fcntl(ends_[1], F_SETFL, 0);
    return filled;
  }

  int ends_[2] = {-1, -1};
};

TEST_F(LogWriterTest, WritesLinesInTheirOrder) {
  LogWriter writer(ends_[1], 1000, DroppedLine);
  writer.Put("one\n");
  writer.Put("two\n");
  EXPECT_TRUE(writer.Flush(minutes(1)));
  EXPECT_EQ(ReadUntil("two\n"), "one\ntwo\n");
  EXPECT_EQ(writer.Dropped(), 0U);
}

TEST_F(LogWriterTest, WritesWhatIsQueuedBeforeItEnds) {
  {
    LogWriter writer(ends_[1], 1000, DroppedLine);
    writer.Put("last\n");
  }
  EXPECT_EQ(ReadUntil("last\n"), "last\n");
}

TEST_F(LogWriterTest, AReaderWhoDoesNotReadHoldsUpNobodyAndLearnsHowMuchHeMissed) {
  const std::size_t filled = FillPipe();
  LogWriter writer(ends_[1], 100, DroppedLine);
  const std::string line(39, 'l');
  std::uint64_t put = 0;
  while (writer.Dropped() < 5) {
    writer.Put(line + "\n");
    ++put;
  }
  EXPECT_FALSE(writer.Flush(milliseconds(1)));
  const std::string text = ReadUntil("dropped 5\n").substr(filled);
  const auto ends = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
  EXPECT_EQ(ends - 1 + 5, put) << text;
  EXPECT_TRUE(writer.Flush(minutes(1)));
  writer.Put("again\n");
  EXPECT_EQ(ReadUntil("again\n"), "again\n");
}

TEST_F(LogWriterTest, EndsAlthoughItsWriteHangs) {
  FillPipe();
  // The thread that hangs in it outlives the writer and the test: its end is never closed.
  auto writer = std::make_unique<LogWriter>(std::exchange(ends_[1], -1), 1000, DroppedLine);
  writer->Put("never read\n");
  writer.reset();
  SUCCEED();
}

TEST_F(LogWriterTest, CountsLinesThatTheDescriptorDoesNotTake) {
  CloseReader();
  LogWriter writer(ends_[1], 1000, DroppedLine);
  writer.Put("lost\n");
  EXPECT_TRUE(writer.Flush(minutes(1)));
  EXPECT_EQ(writer.Dropped(), 1U);
}

}  // namespace
}  // namespace coffer::server
