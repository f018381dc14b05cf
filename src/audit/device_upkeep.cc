// The work of a device's own thread: everything that may take long or go wrong for a while.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "audit/entry_text.h"
#include "audit/file_device.h"

namespace coffer::audit {
namespace {

constexpr std::chrono::minutes kWarningPeriod{1};

// "audit.log.000000004711": in the order of its entries, and never used twice.
std::filesystem::path RotatedName(const std::filesystem::path& path, std::uint64_t sequence) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), ".%0*llu", static_cast<int>(kSequenceDigits),
                static_cast<unsigned long long>(sequence));
  return path.string() + digits.data();
}

}  // namespace

void FileDevice::Upkeep() {
  Lock lock(mutex_);
  while (true) {
    wake_.wait_for(lock, options_.upkeep_period, [this] { return HasDuties(); });
    const bool last = stopping_;
    if (last) {  // the thread that is writing ends first
      Turn turn;
      Leave(turn, TakeLead(lock, turn));
    }
    if (broken_ && !last) Recover(lock);
    const Steady::time_point now = Steady::now();
    if (!broken_) {
      if (reopen_wanted_) {
        reopen_wanted_ = false;
        OpenAnew(lock, "reopened");
      } else if (Full()) {
        OpenAnew(lock, "rotated", true);
      } else if (now - last_look_ >= options_.look_period) {
        last_look_ = now;
        Look(lock);
      }
      if (!broken_ && (last || SyncDue(now))) SyncNow(lock);
    }
    if (last) return;
  }
}

bool FileDevice::HasDuties() const {
  const bool sync = sync_wanted_ || written_ - synced_ >= options_.sync_entries;
  return stopping_ || (!broken_ && (sync || reopen_wanted_ || Full()));
}

bool FileDevice::SyncDue(Steady::time_point now) const {
  const std::uint64_t unsynced = written_ - synced_;
  return sync_wanted_ || unsynced >= options_.sync_entries ||
         (unsynced > 0 && now - last_sync_ >= options_.sync_period);
}

bool FileDevice::Full() const {
  return options_.rotate_octets != 0 && size_ >= options_.rotate_octets && identity_.regular;
}

// Callers go on writing meanwhile: only this thread syncs and changes the file.
void FileDevice::SyncNow(Lock& lock) {
  sync_wanted_ = false;
  const std::uint64_t reached = written_;
  const bool name = std::exchange(name_unsynced_, false);
  lock.unlock();
  if (name) files_.SyncDirectory(options_.path.parent_path());
  const int error = identity_.regular ? SyncNamed(file_) : 0;
  lock.lock();
  last_sync_ = Steady::now();
  if (error != 0) return Break(-error, "sync");
  synced_ = std::max(synced_, reached);
  changed_.notify_all();
}

// A file without a name is no record: it ends with this process.
int FileDevice::SyncNamed(int file) {
  FileOperations::Facts facts;
  int error = files_.Sync(file);
  if (error == 0) error = files_.Inspect(file, facts);
  return error == 0 && facts.links == 0 ? -ENOENT : error;
}

FileDevice::Lead FileDevice::TakeLead(Lock& lock, Turn& turn) {
  return std::move(*Await(lock, turn));  // a turn without a line is never refused
}

bool FileDevice::WriteOwn(Lock& lock, Lead lead, Turn& turn, std::string open_line) {
  HashedLine line(std::move(open_line));
  turn.lines = {&line, 1};
  WriteGroup(lock, std::move(lead));
  return turn.state == Turn::State::kWritten;
}

int FileDevice::OpenFile() {
  const int file = files_.Open(options_.path);
  if (file < 0) return file;
  FileOperations::Facts facts;
  if (const int error = files_.Inspect(file, facts); error < 0) {
    files_.Close(file);
    return error;
  }
  const std::lock_guard lock(mutex_);
  identity_ = facts;
  name_unsynced_ = facts.regular;
  size_ = facts.size;
  return file;
}

bool FileDevice::PathIsOpenFile() {
  FileOperations::Facts there;
  return files_.Inspect(options_.path, there) == 0 && there.inode == identity_.inode &&
         there.device == identity_.device;
}

// Looks after the file's name and the room on its disk.
void FileDevice::Look(Lock& lock) {
  if (!identity_.regular) return;
  lock.unlock();
  const bool same = PathIsOpenFile();
  lock.lock();
  if (!same && !broken_) OpenAnew(lock, "file-replaced");
  WarnOfSpace(lock);
}

void FileDevice::WarnOfSpace(Lock& lock) {
  const int file = file_;
  lock.unlock();
  const std::int64_t free = files_.FreeSpace(file);
  lock.lock();
  const Steady::time_point now = Steady::now();
  if (free < 0 || free >= options_.warn_below_octets || now - last_warning_ < kWarningPeriod) {
    return;
  }
  last_warning_ = now;
  logger_.Log(LogLevel::kWarn, "audit",
              "little room is left for the audit file: without any, requests are refused",
              {{"device", name_}, {"path", options_.path.string()}, {"octets_free", free}});
}

void FileDevice::OpenAnew(Lock& lock, std::string_view why, bool rotate) {
  Turn turn;
  Lead lead = TakeLead(lock, turn);
  if (broken_) return Leave(turn, std::move(lead));  // Recover() opens it anew as well
  const std::filesystem::path name = RotatedName(options_.path, head_.sequence);
  const int old = file_;
  const bool regular = identity_.regular;
  lock.unlock();
  const int renamed = rotate ? files_.Rename(options_.path, name) : 0;
  const bool keeps = renamed < 0 || PathIsOpenFile();
  const int file = keeps ? old : OpenFile();
  lock.lock();
  if (renamed < 0) {
    logger_.Log(LogLevel::kError, "audit", "failed to rotate the audit file",
                {{"device", name_}, {"why", std::strerror(-renamed)}});
    size_ = 0;  // tried again when as much again was written
  }
  if (file < 0) Break(-file, "open");
  if (keeps || file < 0) return Leave(turn, std::move(lead));
  file_ = file;
  const std::uint64_t reached = written_;  // in the old file
  logger_.Log(LogLevel::kInfo, "audit", "audit file opened",
              {{"device", name_}, {"path", options_.path.string()}, {"why", why}});
  std::string line;
  AppendEvent({"audit-file-opened", {{"why", why}}}, clock_.Now(), line);
  static_cast<void>(WriteOwn(lock, std::move(lead), turn, std::move(line)));
  lock.unlock();
  const int synced = regular ? SyncNamed(old) : 0;
  files_.Close(old);
  lock.lock();
  if (synced < 0) ++sync_failures_;  // threads that wait for a line of that file get an error
  synced_ = std::max(synced_, reached);
  changed_.notify_all();
}

// The file is opened anew even where its name did not change: what a failed sync has dropped is
// told once to each descriptor only.
void FileDevice::Recover(Lock& lock) {
  Turn turn;
  Lead lead = TakeLead(lock, turn);
  const bool first = !begun_;
  const Known known = first ? known_ : Known{head_, true};
  const int old = file_;
  file_ = -1;
  lock.unlock();
  if (old >= 0) files_.Close(old);  // and lets go of its lock
  const int file = OpenFile();
  lock.lock();
  file_ = file;
  if (file < 0) {
    fault_ = -file;
    return Leave(turn, std::move(lead));
  }
  lock.unlock();
  const Status found = FindPlace(lead, known);
  lock.lock();
  if (!found) {
    fault_ = EINVAL;
    return Leave(turn, std::move(lead));
  }
  const std::string refused = std::to_string(refused_);
  if (told_ && identity_.size > 0) {
    Leave(turn, std::move(lead));
  } else {
    std::string line =
        first ? BeginLine(kStartEvent) : BeginLine(kRecoveryEvent, refused, std::strerror(fault_));
    told_ = WriteOwn(lock, std::move(lead), turn, std::move(line));
    if (!told_) return;
  }
  const std::uint64_t failures = sync_failures_;
  SyncNow(lock);
  if (sync_failures_ != failures) return;
  broken_ = false;
  told_ = false;
  refused_ = 0;  // of the next outage
  logger_.Log(LogLevel::kInfo, "audit", "audit device takes records",
              {{"device", name_}, {"refused", refused}});
}

}  // namespace coffer::audit
