// What a device does on its own thread: everything that may take long or go wrong for a while.

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
constexpr int kSequenceDigits = 12;
constexpr std::uint64_t kForgetStep = 1024UL * 1024;  // octets: whole pages, however large

// "audit.log.000000004711": in the order of its entries, and never used twice.
std::filesystem::path RotatedName(const std::filesystem::path& path, std::uint64_t sequence) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), ".%0*llu", kSequenceDigits,
                static_cast<unsigned long long>(sequence));
  return path.string() + digits.data();
}

}  // namespace

void FileDevice::Upkeep() {
  Lock lock(mutex_);
  while (true) {
    idle_ = true;
    const bool woken =
        wake_.wait_for(lock, options_.upkeep_period, [this] { return HasDuties() || gathering_; });
    idle_ = false;
    if (!woken) meetings_ = 0;
    if (gathering_) Gather(lock);
    const bool last = stopping_;  // what came before that is given to the file and synced once more
    if (broken_ && !stopping_) Recover(lock);
    // What callers left for a Flush() that has not come.
    if (!broken_ && !leading_ && !journal_.Empty()) static_cast<void>(Drain(lock));
    const Steady::time_point now = Steady::now();
    if (!broken_) {
      if (reopen_wanted_) {
        reopen_wanted_ = false;
        OpenAnew(lock, "reopened");
      } else if (Full()) {
        Rotate(lock);
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
  const bool sync = sync_wanted_ || accepted_ - synced_ >= options_.sync_entries;
  // Who leads now sees for himself whether something is left; he wants the lock for that.
  const bool drain = drain_wanted_ && !leading_;
  return stopping_ || (!broken_ && (sync || reopen_wanted_ || drain || Full()));
}

void FileDevice::Gather(Lock& lock) {
  // Lines that came in a period: a client alone, who waits for each answer, makes fewer.
  constexpr std::uint64_t kFew = 64;
  const auto interrupted = [this] { return broken_ || HasDuties() || SyncDue(Steady::now()); };
  bool few = false;
  while (!few && !wake_.wait_until(lock, gather_at_, interrupted)) {
    few = accepted_ - gathered_ < kFew;
    NextGathering();
    if (!leading_) static_cast<void>(Drain(lock));
  }
  if (!few && !broken_ && !stopping_) return;  // goes on after what interrupted it
  gathering_ = false;
  meetings_ = 0;
  asked_ = accepted_;  // what a Flush() meanwhile left to this thread, too
}

void FileDevice::NextGathering() {
  gathered_ = accepted_;
  gather_at_ = Steady::now() + options_.gather_period;
}

bool FileDevice::SyncDue(Steady::time_point now) const {
  if (sync_wanted_) return true;
  const std::uint64_t unsynced = accepted_ - synced_;
  return unsynced >= options_.sync_entries ||
         (unsynced > 0 && now - last_sync_ >= options_.sync_period);
}

bool FileDevice::Full() const {
  return options_.rotate_octets != 0 && size_ >= options_.rotate_octets && identity_.regular;
}

void FileDevice::SyncNow(Lock& lock) {
  sync_wanted_ = false;
  TakeLead(lock);
  if (!Drain(lock)) return;
  const std::uint64_t reached = written_;
  const int file = file_;
  const bool regular = identity_.regular;
  lock.unlock();
  FileOperations::Facts facts;
  int error = 0;
  if (regular) error = SyncNamed(file, facts);
  lock.lock();
  last_sync_ = Steady::now();
  if (error == 0) {
    synced_ = std::max(synced_, reached);
  } else {
    Break(-error, "sync");
  }
  changed_.notify_all();
  if (error != 0 || !regular) return;
  lock.unlock();
  ForgetSynced(file, facts.size);
  lock.lock();
}

// A file without a name is no record: it ends with this process.
int FileDevice::SyncNamed(int file, FileOperations::Facts& facts) {
  int error = files_.Sync(file);
  if (error == 0) error = files_.Inspect(file, facts);
  return error == 0 && facts.links == 0 ? -ENOENT : error;
}

void FileDevice::ForgetSynced(int file, std::uint64_t size) {
  forgotten_ = std::min(forgotten_, size);  // somebody cut the file
  if (size < forgotten_ + options_.cached_octets + kForgetStep) return;
  const std::uint64_t end = (size - options_.cached_octets) / kForgetStep * kForgetStep;
  files_.Forget(file, forgotten_, end);
  forgotten_ = end;
}

void FileDevice::TakeLead(Lock& lock) {
  ++waiting_;
  lead_wanted_ = true;
  changed_.wait(lock, [this] { return !leading_; });
  lead_wanted_ = false;
  --waiting_;
  leading_ = true;
}

void FileDevice::LeaveLead() {
  leading_ = false;
  drain_wanted_ = written_ < asked_;
  changed_.notify_all();
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
  size_ = facts.size;
  // What was there before may be in memory for others.
  forgotten_ = size_ / kForgetStep * kForgetStep;
  return file;
}

// Whether the file still has its name, and the disk still has room.
void FileDevice::Look(Lock& lock) {
  if (!identity_.regular) return;
  lock.unlock();
  FileOperations::Facts there;
  const int found = files_.Inspect(options_.path, there);
  lock.lock();
  const bool same =
      found == 0 && there.inode == identity_.inode && there.device == identity_.device;
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
              {{"device", known_.name}, {"path", options_.path.string()}, {"octets_free", free}});
}

// The file gets another name, and a new one takes its place. Lines that come meanwhile stay in the
// journal.
void FileDevice::Rotate(Lock& lock) {
  TakeLead(lock);
  if (broken_) return LeaveLead();
  const std::filesystem::path name = RotatedName(options_.path, file_head_.sequence);
  const int file = file_;
  lock.unlock();
  int error = files_.Sync(file);
  if (error == 0) error = files_.Rename(options_.path, name);
  lock.lock();
  LeaveLead();
  if (error < 0) {
    logger_.Log(LogLevel::kError, "audit", "failed to rotate the audit file",
                {{"device", known_.name}, {"why", std::strerror(-error)}});
    size_ = 0;  // tried again when as much again was written
    return;
  }
  OpenAnew(lock, "rotated");
}

void FileDevice::OpenAnew(Lock& lock, std::string_view why) {
  TakeLead(lock);
  if (broken_) return LeaveLead();  // Recover() opens it anew as well
  const int old = file_;
  const FileOperations::Facts before = identity_;
  lock.unlock();
  FileOperations::Facts there;
  FileOperations::Facts facts;
  const bool same = files_.Inspect(options_.path, there) == 0 && there.inode == before.inode &&
                    there.device == before.device;
  int synced = 0;
  int file = old;
  if (!same) {
    if (before.regular) {
      synced = SyncNamed(old, facts);
      if (synced == 0) files_.Forget(old, std::min(forgotten_, facts.size), facts.size);
    }
    file = OpenFile();
    if (file >= 0 && identity_.regular) files_.SyncDirectory(options_.path.parent_path());
  }
  lock.lock();
  LeaveLead();
  if (same) return;
  if (file < 0) {
    Break(-file, "open");
    return;
  }
  files_.Close(old);
  file_ = file;
  if (synced < 0) ++sync_failures_;  // whoever waits for a line of that file does so in vain
  synced_ = written_;
  changed_.notify_all();
  logger_.Log(LogLevel::kInfo, "audit", "audit file opened",
              {{"device", known_.name}, {"path", options_.path.string()}, {"why", why}});
  std::string line;
  AppendEvent({"audit-file-opened", {{"why", why}}}, clock_.Now(), line);
  static_cast<void>(WriteOwn(lock, line));
}

// A line of the device's own; also the trial after a fault.
bool FileDevice::WriteOwn(Lock& lock, std::string event_line) {
  TakeLead(lock);
  HashedLine own(std::move(event_line));
  // A journal that is full is emptied first.
  if (!journal_.Fits(own.Octets() + kSealOctets) && !Drain(lock)) return false;
  Put(own, false);
  return Drain(lock);
}

void FileDevice::Recover(Lock& lock) {
  TakeLead(lock);
  const int old = file_;
  const bool first = !begun_;
  lock.unlock();
  FileOperations::Facts there;
  const bool same = old >= 0 && files_.Inspect(options_.path, there) == 0 &&
                    there.inode == identity_.inode && there.device == identity_.device;
  int error = 0;
  if (!same) {
    const int file = OpenFile();
    error = file < 0 ? -file : 0;
    if (file >= 0) {
      if (old >= 0) files_.Close(old);
      if (identity_.regular) files_.SyncDirectory(options_.path.parent_path());
      file_ = file;
    }
  }
  if (error == 0 && first && !Begin()) error = EINVAL;
  lock.lock();
  // In another file the rest of a line would be a line that is none.
  if (!same && !first && error == 0) {
    journal_.Rewind();
    newline_owed_ = false;
  }
  LeaveLead();
  if (error != 0) {
    fault_ = error;
    return;
  }
  // What waits is the trial; only where nothing does, the entry about it is.
  TakeLead(lock);
  if (!Drain(lock)) return;
  const std::string refused = std::to_string(refused_);
  if (!told_) {
    std::string line;
    if (first) {
      line = StartLine();
    } else {
      AppendEvent({"audit-recovered", {{"refused", refused}, {"why", std::strerror(fault_)}}},
                  clock_.Now(), line);
    }
    told_ = true;
    if (!WriteOwn(lock, std::move(line))) return;
  }
  SyncNow(lock);
  if (synced_ != accepted_) return;
  broken_ = false;
  told_ = false;
  refused_ = 0;  // of the next outage
  logger_.Log(LogLevel::kInfo, "audit", "audit device takes records",
              {{"device", known_.name}, {"refused", refused}});
}

}  // namespace coffer::audit
