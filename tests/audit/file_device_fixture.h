#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "audit/chain_builder.h"
#include "audit/file_device.h"
#include "coffer/base/logger.h"
#include "fakes/faulty_files.h"
#include "fakes/temporary_directory.h"

namespace coffer::audit {

// Time that a test moves, backwards too.
class MovedClock final : public Clock {
 public:
  SystemTime Now() const override { return FromUnixNanoseconds(now.load()); }
  std::atomic<std::int64_t> now{1'800'000'000'000'000'000};
};

// Counts what is logged at each level.
class CountingLogger final : public Logger {
 public:
  void Log(LogLevel level, std::string_view, std::string_view,
           std::initializer_list<LogField>) override {
    if (level == LogLevel::kWarn) ++warnings;
    if (level == LogLevel::kError) ++errors;
  }
  std::atomic<int> warnings{0};
  std::atomic<int> errors{0};
};

class FileDeviceTest : public ::testing::Test {
 protected:
  FileDeviceTest() {
    options_.path = directory_.Path() / "audit.log";
    options_.upkeep_period = std::chrono::milliseconds(5);
    options_.write_wait = std::chrono::minutes(1);
  }
  void SetUp() override { Open(); }

  Result<std::unique_ptr<FileDevice>> TryOpen(const FileDevice::Known& known = {}) {
    return FileDevice::Open(options_, "file/", known, files_, clock_, logger_,
                            [this] { ++asked_; });
  }
  void Open(const FileDevice::Known& known = {}) {
    auto opened = TryOpen(known);
    ASSERT_TRUE(opened) << opened.error().message << " " << opened.error().cause;
    device_ = std::move(*opened);
  }
  ChainPosition Stop() {
    const FileDevice::Known end = device_->Stop();
    device_.reset();
    return end.at;
  }

  // Does `work` with the device in another process, which is then killed.
  template <typename Work>
  void Killed(Work work) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Open();
      work();
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  static std::string Line(const std::string& id) {
    return R"({"time":"2026-11-24T12:00:00Z","type":"request","request":{"id":")" + id + "\"}";
  }
  Status Append(const std::string& id, bool durable = false) {
    return device_->Append(Line(id), durable);
  }
  Checkpoint Signed(const ChainPosition& at) {
    Checkpoint checkpoint{at, "2026-11-24T12:00:00Z", KeyId(signer_.PublicKey()), {}};
    checkpoint.signature = signer_.Sign(SignedOctets(checkpoint));
    return checkpoint;
  }
  // The device comes back by itself; what it takes last is `id`.
  void AppendWhenBack(const std::string& id, bool durable = false) {
    while (!Append(id, durable)) std::this_thread::yield();
  }
  std::vector<std::string> LinesOf(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  std::vector<std::string> Lines() { return LinesOf(options_.path); }
  std::vector<std::filesystem::path> Files() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.Path())) {
      if (entry.path() != options_.path) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    files.push_back(options_.path);
    return files;
  }
  static std::size_t Count(const std::vector<std::string>& lines, const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(),
        [&](const std::string& line) { return line.find(text) != std::string::npos; }));
  }
  static std::string Id(const std::string& id) { return "\"id\":\"" + id + "\""; }
  // No checkpoints are signed here, since the broker does that: the findings about their absence
  // are left out.
  VerifyReport Report() {
    auto report = Verify(Files(), signer_key_, {});
    EXPECT_TRUE(report) << report.error().message;
    std::erase_if(report->findings,
                  [](const Finding& one) { return one.kind == Finding::Kind::kUnproven; });
    return std::move(*report);
  }
  void ExpectIntact() {
    const auto files = Files();
    for (const Finding& finding : Report().findings) {
      ADD_FAILURE() << files[finding.file] << ":" << finding.line << ": " << finding.text;
    }
  }

  fakes::TemporaryDirectory directory_;
  fakes::FaultyFiles files_;
  MovedClock clock_;
  CountingLogger logger_;
  std::atomic<int> asked_{0};
  FileDevice::Options options_;
  std::unique_ptr<FileDevice> device_;
  fakes::SoftwareSigner signer_;
  crypto::EcdsaP256Key signer_key_ = crypto::EcdsaP256Key::FromDer(signer_.PublicKey()).value();
};

}  // namespace coffer::audit
