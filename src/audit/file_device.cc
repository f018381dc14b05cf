#include "audit/file_device.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace coffer::audit {
namespace {

constexpr std::size_t kMaxGathered = 64UL * 1024 * 1024;  // octets that may wait to be written
constexpr std::size_t kKeptCapacity = 1024UL * 1024;
// A write takes 2 to 5 us; to sleep and be woken costs more than that in processor time alone. Each
// look is some 50 ns; the second turn is for a write that began meanwhile.
constexpr int kSpins = 2;
constexpr int kLooks = 100;

// Leaves the core to its other thread for a moment.
void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

FileDevice::FileDevice(const Options& options, const Known& known, FileOperations& files,
                       const Clock& clock, Logger& logger, std::function<void()> want_checkpoint)
    : options_(options),
      known_(known),
      files_(files),
      clock_(clock),
      logger_(logger),
      want_checkpoint_(std::move(want_checkpoint)),
      last_sync_(Steady::now()),
      last_look_(last_sync_),
      last_warning_(last_sync_ - std::chrono::hours(1)) {}

Status FileDevice::Append(std::string line, bool durable) {
  return Submit(std::move(line), durable || options_.always_sync, false);
}

Status FileDevice::AppendCheckpoint(const Checkpoint& checkpoint) {
  {
    const std::lock_guard lock(mutex_);
    // What was accepted after the place that was signed waits for the next one.
    uncovered_ =
        accepted_head_.sequence - std::min(accepted_head_.sequence, checkpoint.at.sequence);
  }
  COFFER_TRY(Submit(CheckpointLine(checkpoint), false, true));
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

Status FileDevice::Submit(std::string line, bool durable, bool covered) {
  Waiter waiter;
  HashedLine hashed(std::move(line));
  Lock lock(mutex_);
  if (broken_ || filling_.octets.size() > kMaxGathered) return Refuse();
  head_ = hashed.Seal(head_);
  filling_.octets += hashed.Text();
  filling_.lines.push_back({&waiter, filling_.octets.size(), head_, covered});
  std::optional<Steady::time_point> until;
  int spins = 0;
  while (waiter.fate == Fate::kWaiting) {
    if (!leading_) {
      Lead(lock);
      continue;
    }
    if (spins < kSpins) {
      ++spins;
      Spin(lock);
      continue;
    }
    if (!until) until = Steady::now() + options_.write_wait;
    ++waiting_;
    const auto woken = changed_.wait_until(lock, *until);
    --waiting_;
    if (woken == std::cv_status::timeout && waiter.fate == Fate::kWaiting) {
      for (Batch* batch : {&filling_, &flying_}) {
        for (Line& other : batch->lines) {
          if (other.waiter == &waiter) other.waiter = nullptr;
        }
      }
      return Refuse();
    }
  }
  if (waiter.fate == Fate::kRefused) return Refuse();
  return durable ? WaitSynced(lock, accepted_) : Status{};
}

void FileDevice::Spin(Lock& lock) const {
  lock.unlock();
  for (int looks = 0; looks < kLooks && leading_.load(std::memory_order_relaxed); ++looks) {
    Pause();
  }
  lock.lock();
}

// Writes what has gathered. The lock is not held meanwhile.
void FileDevice::Lead(Lock& lock) {
  leading_ = true;
  std::swap(filling_, flying_);
  const int file = file_;
  lock.unlock();
  const Written written = WriteAll(file, flying_.octets);
  lock.lock();
  leading_ = false;
  Conclude(flying_, written);
  flying_.Clear();
  if (flying_.octets.capacity() > kKeptCapacity) flying_.octets.shrink_to_fit();
  if (waiting_ > 0) changed_.notify_all();
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

void FileDevice::Accept(const Line& line) {
  if (line.waiter != nullptr) line.waiter->fate = Fate::kAccepted;
  accepted_head_ = line.at;
  ++accepted_;
  if (!line.covered && ++uncovered_ == options_.checkpoint_entries && want_checkpoint_) {
    want_checkpoint_();
  }
  if (accepted_ - synced_ == options_.sync_entries) wake_.notify_one();
}

void FileDevice::Conclude(Batch& batch, const Written& written) {
  size_ += written.octets;
  std::size_t begin = 0;
  for (const Line& line : batch.lines) {
    if (line.end <= written.octets) {
      Accept(line);
    } else if (begin < written.octets) {
      // Its beginning stands in the file: it is finished before anything else is written, and keeps
      // its place in the chain although its caller was refused.
      unfinished_ = batch.octets.substr(written.octets, line.end - written.octets);
      accepted_head_ = line.at;
      if (line.waiter != nullptr) line.waiter->fate = Fate::kRefused;
    } else if (line.waiter != nullptr) {
      line.waiter->fate = Fate::kRefused;
    }
    begin = line.end;
  }
  if (written.error != 0) {
    Break(written.error, "write to");
  } else if (broken_) {
    head_ = accepted_head_;  // a sync failed while this was on its way
  }
  if (options_.rotate_octets != 0 && size_ >= options_.rotate_octets) wake_.notify_one();
}

// From here on every record is refused, until the device's thread has brought it back. What has
// gathered behind the fault was chained to lines that are not there.
void FileDevice::Break(int error, std::string_view what) {
  for (const Line& line : filling_.lines) {
    if (line.waiter != nullptr) line.waiter->fate = Fate::kRefused;
  }
  filling_.Clear();
  head_ = accepted_head_;
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
  const ChainPosition head = accepted_head_;
  if (synced_ < accepted_) COFFER_TRY(WaitSynced(lock, accepted_));
  return head;
}

std::optional<ChainPosition> FileDevice::HeadToSign() {
  const std::lock_guard lock(mutex_);
  if (broken_ || uncovered_ == 0) return std::nullopt;
  return accepted_head_;
}

void FileDevice::Reopen() {
  const std::lock_guard lock(mutex_);
  reopen_wanted_ = true;
  wake_.notify_one();
}

bool FileDevice::Healthy() const {
  const std::lock_guard lock(mutex_);
  return !broken_;
}

ChainPosition FileDevice::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  return accepted_head_;
}

FileDevice::~FileDevice() {
  Stop();
  if (file_ >= 0) files_.Close(file_);
}

}  // namespace coffer::audit
