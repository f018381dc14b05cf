#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "coffer/audit/file_operations.h"

namespace coffer::fakes {

// The real file operations, with faults that a test switches on and off while they run. A fault is
// a positive error number; 0 is none. It remembers the part of the file that a power cut would
// leave.
class FaultyFiles final : public audit::FileOperations {
 public:
  std::atomic<int> open_error{0};
  std::atomic<int> write_error{0};
  std::atomic<int> wait_error{0};
  std::atomic<int> read_error{0};
  std::atomic<int> sync_error{0};
  std::atomic<int> inspect_error{0};
  std::atomic<int> rename_error{0};
  std::atomic<std::int64_t> room{INT64_MAX};        // bytes until the disk is full
  std::atomic<std::int64_t> free_space{INT64_MAX};  // as FreeSpace() tells it
  std::atomic<std::uint64_t> synced_octets{0};      // of the file, at its last sync
  std::atomic<std::uint64_t> syncs{0};
  std::atomic<std::uint64_t> failed_opens{0};
  std::atomic<std::uint64_t> failed_writes{0};
  std::atomic<std::int64_t> most_lines{0};            // that one write has taken
  std::atomic<std::uint64_t> writes{0};               // that came
  std::atomic<std::uint64_t> writes_let{UINT64_MAX};  // so many of them go on; the next one stays
  std::atomic<std::uint64_t> syncs_begun{0};
  std::atomic<bool> hold_syncs{false};
  std::atomic<std::uint64_t> looks_begun{0};  // for the file's name
  std::atomic<bool> hold_looks{false};
  std::atomic<std::uint64_t> directories_begun{0};  // syncs of one
  std::atomic<bool> hold_directories{false};

  int Open(const std::filesystem::path& path) override {
    if (const int error = open_error.load()) {
      ++failed_opens;
      return -error;
    }
    return real_.Open(path);
  }
  void Close(int file) override { real_.Close(file); }
  std::int64_t Write(int file, std::string_view octets) override {
    const std::uint64_t number = ++writes;
    writes.notify_all();
    for (std::uint64_t let = writes_let; let < number; let = writes_let) writes_let.wait(let);
    if (const int error = write_error.load()) {
      ++failed_writes;
      return -error;
    }
    const std::int64_t left = room.load();
    if (left <= 0) {
      ++failed_writes;
      return -ENOSPC;
    }
    const auto part = octets.substr(0, static_cast<std::size_t>(left));
    const std::int64_t wrote = real_.Write(file, part);
    if (wrote > 0 && left != INT64_MAX) room -= wrote;
    most_lines = std::max(most_lines.load(), std::count(part.begin(), part.end(), '\n'));
    return wrote;
  }
  int WaitWritable(int file, std::chrono::milliseconds wait) override {
    if (const int error = wait_error.load()) return -error;
    if (write_error.load() == EAGAIN) return 0;
    return real_.WaitWritable(file, wait);
  }
  std::int64_t Read(int file, std::uint64_t offset, MutableBytes out) override {
    if (const int error = read_error.load()) return -error;
    return real_.Read(file, offset, out);
  }
  // Waits until the first write that is held up has begun.
  void AwaitHeldWrite() {
    for (std::uint64_t came = writes; came <= writes_let; came = writes) writes.wait(came);
  }
  void LetWrites(std::uint64_t count) {
    writes_let = count;
    writes_let.notify_all();
  }
  int Sync(int file) override {
    ++syncs_begun;
    syncs_begun.notify_all();
    hold_syncs.wait(true);
    if (const int error = sync_error.load()) return -error;
    Facts facts;
    real_.Inspect(file, facts);
    const int done = real_.Sync(file);
    if (done == 0) synced_octets = facts.size;
    ++syncs;
    return done;
  }
  int Inspect(int file, Facts& facts) override {
    if (const int error = inspect_error.load()) return -error;
    return real_.Inspect(file, facts);
  }
  int Inspect(const std::filesystem::path& path, Facts& facts) override {
    ++looks_begun;
    looks_begun.notify_all();
    hold_looks.wait(true);
    if (const int error = inspect_error.load()) return -error;
    return real_.Inspect(path, facts);
  }
  int Rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    if (const int error = rename_error.load()) return -error;
    return real_.Rename(from, to);
  }
  int SyncDirectory(const std::filesystem::path& directory) override {
    ++directories_begun;
    directories_begun.notify_all();
    hold_directories.wait(true);
    return real_.SyncDirectory(directory);
  }
  std::int64_t FreeSpace(int file) override {
    const std::int64_t told = free_space.load();
    return told == INT64_MAX ? real_.FreeSpace(file) : told;
  }

 private:
  audit::FileOperations& real_ = audit::SystemFiles();
};

}  // namespace coffer::fakes
