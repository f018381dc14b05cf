#include "audit/file_device.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace coffer::audit {
namespace {

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

FileDevice::FileDevice(const Options& options, const Known& known, Journal journal,
                       FileOperations& files, const Clock& clock, Logger& logger,
                       std::function<void()> want_checkpoint)
    : options_(options),
      known_(known),
      files_(files),
      clock_(clock),
      logger_(logger),
      want_checkpoint_(std::move(want_checkpoint)),
      journal_(std::move(journal)),
      last_sync_(Steady::now()),
      last_look_(last_sync_),
      last_warning_(last_sync_ - std::chrono::hours(1)) {}

Status FileDevice::Append(HashedLine line, Urgency urgency) {
  return Submit(std::move(line), options_.always_sync ? Urgency::kDurable : urgency, false);
}

Status FileDevice::AppendCheckpoint(const Checkpoint& checkpoint) {
  {
    const std::lock_guard lock(mutex_);
    // What was accepted after the place that was signed waits for the next one.
    uncovered_ = head_.sequence - std::min(head_.sequence, checkpoint.at.sequence);
  }
  COFFER_TRY(Submit(HashedLine(CheckpointLine(checkpoint)), Urgency::kNow, true));
  const std::lock_guard lock(mutex_);
  sync_wanted_ = true;
  wake_.notify_one();
  return {};
}

Status FileDevice::Refuse() {
  ++refused_;
  ++refused_ever_;
  return Fail(Code::kUnavailable,
              "the audit device does not take records: nothing is answered "
              "without its record",
              "audit device " + known_.name + ": " + std::strerror(fault_));
}

// It is held for a fraction of a microsecond: to sleep for it takes ten times as long.
FileDevice::Lock FileDevice::LockSoon() {
  constexpr int kTries = 200;
  Lock lock(mutex_, std::defer_lock);
  for (int i = 0; i < kTries && !lock.try_lock(); ++i) Pause();
  if (!lock.owns_lock()) lock.lock();
  return lock;
}

Status FileDevice::Submit(HashedLine line, Urgency urgency, bool covered) {
  Lock lock = LockSoon();
  COFFER_TRY(MakeRoom(lock, line.Octets() + kSealOctets));
  Put(line, covered);
  if (urgency == Urgency::kDurable) return WaitSynced(lock, accepted_);
  if (!identity_.regular) return WaitWritten(lock, accepted_);
  if (urgency == Urgency::kSoon) return {};
  return GiveToFile(lock) ? Status{} : Refuse();
}

bool FileDevice::GiveToFile(Lock& lock) {
  asked_ = accepted_;
  if (gathering_) return true;
  if (MayLead()) return Drain(lock);
  constexpr int kCrowd = 3;  // once may be a checkpoint that met a lone caller
  if (idle_ && ++meetings_ >= kCrowd) {
    gathering_ = true;
    NextGathering();
    wake_.notify_one();
  }
  return true;
}

Status FileDevice::MakeRoom(Lock& lock, std::size_t octets) {
  std::optional<Steady::time_point> until;
  while (!broken_ && !journal_.Fits(octets)) {
    if (journal_.Empty()) break;  // longer than the journal
    if (MayLead()) {
      static_cast<void>(Drain(lock));
      continue;
    }
    if (!until) until = Steady::now() + options_.write_wait;
    ++waiting_;
    const auto woken = changed_.wait_until(lock, *until);
    --waiting_;
    if (woken == std::cv_status::timeout) break;
  }
  if (!broken_ && !journal_.Fits(octets)) fault_ = ETIMEDOUT;
  return broken_ || !journal_.Fits(octets) ? Refuse() : Status{};
}

// From here on the line has its place, whatever becomes of the file.
void FileDevice::Put(HashedLine& line, bool covered) {
  head_ = line.Seal(head_);
  journal_.Put(line.Beginning(), line.Rest());
  ++accepted_;
  if (!covered && ++uncovered_ == options_.checkpoint_entries && want_checkpoint_) {
    want_checkpoint_();
  }
  if (accepted_ - synced_ == options_.sync_entries) wake_.notify_one();
}

void FileDevice::Flush() {
  // The device's thread writes what the caller left, and asks for all of it when it stops: no lock
  // for that.
  if (gathering_) return;
  Lock lock = LockSoon();
  if (broken_ || journal_.Empty()) return;
  static_cast<void>(GiveToFile(lock));
}

bool FileDevice::Drain(Lock& lock) {
  // A worker is not held up for what others go on asking for, nor a sync.
  constexpr int kRounds = 4;
  const std::uint64_t owed = accepted_;
  int error = 0;
  leading_ = true;
  for (int round = 0; error == 0 && (written_ < owed || (written_ < asked_ && round < kRounds &&
                                                         !lead_wanted_ && !gathering_));
       ++round) {
    const bool newline = newline_owed_;
    const std::string_view octets = newline ? "\n" : journal_.Next();
    const bool all = !newline && journal_.NextIsAll();
    const std::uint64_t lines = accepted_;
    const ChainPosition head = head_;
    const int file = file_;
    lock.unlock();
    const Written written = WriteAll(file, octets);
    lock.lock();
    if (newline) {
      newline_owed_ = written.octets == 0;
    } else {
      journal_.Took(written.octets);
    }
    size_ += written.octets;
    error = written.error;
    if (error == 0 && all) {
      written_ = lines;
      file_head_ = head;
    }
    if (waiting_ > 0) changed_.notify_all();
  }
  leading_ = false;
  if (error != 0) Break(error, "write to");
  if (waiting_ > 0) changed_.notify_all();
  drain_wanted_ = error == 0 && written_ < asked_ && !gathering_;
  if (drain_wanted_ || Full()) wake_.notify_one();
  return error == 0;
}

FileDevice::Written FileDevice::WriteAll(int file, std::string_view octets) {
  Written done;
  std::optional<Steady::time_point> until;
  while (done.octets < octets.size()) {
    const std::int64_t wrote = files_.Write(file, octets.substr(done.octets));
    if (wrote > 0) {
      done.octets += static_cast<std::size_t>(wrote);
      continue;
    }
    if (wrote == -EINTR) continue;
    if (wrote != -EAGAIN) {
      done.error = wrote == 0 ? EIO : static_cast<int>(-wrote);
      return done;
    }
    if (!until) until = Steady::now() + options_.write_wait;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*until - Steady::now());
    const int ready = left.count() > 0 ? files_.WaitWritable(file, left) : 0;
    if (ready == 0) done.error = ETIMEDOUT;
    if (ready < 0 && ready != -EINTR) done.error = -ready;
    if (done.error != 0) return done;
  }
  return done;
}

// From here on every record is refused, until the device's thread has brought it back. What was
// accepted waits in the journal.
void FileDevice::Break(int error, std::string_view what) {
  fault_ = error;
  if (!broken_) {
    logger_.Log(LogLevel::kError, "audit", "audit device failed: records are refused",
                {{"device", known_.name},
                 {"path", options_.path.string()},
                 {"why", "failed to " + std::string(what) + " it: " + std::strerror(error)}});
  }
  broken_ = true;
  ++sync_failures_;  // nobody waits for a sync that will not come
  changed_.notify_all();
  wake_.notify_one();
}

Status FileDevice::WaitWritten(Lock& lock, std::uint64_t accepted) {
  const Steady::time_point until = Steady::now() + options_.write_wait;
  while (written_ < accepted && !broken_) {
    if (MayLead()) {
      static_cast<void>(Drain(lock));
      continue;
    }
    ++waiting_;
    const auto woken = changed_.wait_until(lock, until);
    --waiting_;
    if (woken != std::cv_status::timeout) continue;
    if (written_ < accepted && !broken_) fault_ = ETIMEDOUT;
    break;
  }
  return written_ >= accepted ? Status{} : Refuse();
}

Status FileDevice::WaitSynced(Lock& lock, std::uint64_t accepted) {
  const std::uint64_t failures = sync_failures_;
  sync_wanted_ = true;
  wake_.notify_one();
  ++waiting_;
  const bool decided = changed_.wait_for(
      lock, options_.sync_wait, [&] { return synced_ >= accepted || sync_failures_ != failures; });
  --waiting_;
  if (decided && sync_failures_ == failures) return {};
  if (!decided) fault_ = ETIMEDOUT;
  return Refuse();
}

Result<ChainPosition> FileDevice::SyncedHead() {
  Lock lock(mutex_);
  if (broken_) return Fail(Refuse().error());
  const ChainPosition head = head_;
  if (synced_ < accepted_) COFFER_TRY(WaitSynced(lock, accepted_));
  return head;
}

std::optional<ChainPosition> FileDevice::HeadToSign() {
  const std::lock_guard lock(mutex_);
  if (broken_ || uncovered_ == 0) return std::nullopt;
  return head_;
}

void FileDevice::Reopen() {
  const std::lock_guard lock(mutex_);
  reopen_wanted_ = true;
  wake_.notify_one();
}

bool FileDevice::Healthy() const { return !broken_; }

ChainPosition FileDevice::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  return begun_ ? head_ : known_.at;
}

bool FileDevice::Drained() const {
  const std::lock_guard lock(mutex_);
  return begun_ && journal_.Empty();
}

FileDevice::~FileDevice() {
  Stop();
  if (file_ >= 0) files_.Close(file_);
}

}  // namespace coffer::audit
