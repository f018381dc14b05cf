#include "audit/file_device.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace coffer::audit {
namespace {

// A leader with a short line is not held up for more than this.
constexpr std::size_t kGroupOctets = 256UL * 1024;
constexpr std::size_t kSealOctets = 256;  // what a line gains when it is sealed, at most

std::size_t OctetsOf(std::span<const HashedLine> lines) {
  std::size_t octets = 0;
  for (const HashedLine& line : lines) octets += line.Octets();
  return octets;
}

}  // namespace

FileDevice::FileDevice(const Options& options, std::string name, const Known& known,
                       FileOperations& files, const Clock& clock, Logger& logger,
                       std::function<void()> want_checkpoint)
    : options_(options),
      name_(std::move(name)),
      known_(known),
      files_(files),
      clock_(clock),
      logger_(logger),
      want_checkpoint_(std::move(want_checkpoint)),
      last_sync_(Steady::now()),
      last_look_(last_sync_),
      last_warning_(last_sync_ - std::chrono::hours(1)) {}

Status FileDevice::Append(std::span<HashedLine> lines, bool durable) {
  return Submit(lines, durable || options_.always_sync, false);
}

Status FileDevice::Ready() {
  if (!broken_) return {};
  const std::lock_guard lock(mutex_);
  return broken_ ? Refuse() : Status{};
}

Status FileDevice::AppendCheckpoint(const Checkpoint& checkpoint) {
  HashedLine line(CheckpointLine(checkpoint));
  COFFER_TRY(Submit({&line, 1}, false, true));
  const std::lock_guard lock(mutex_);
  // The checkpoint's own line needs none; what came after the place that was signed does.
  uncovered_ = std::min(uncovered_, head_.sequence - checkpoint.at.sequence - 1);
  sync_wanted_ = true;
  wake_.notify_one();
  return {};
}

Status FileDevice::Refuse(std::string_view why) {
  ++refused_;
  ++refused_ever_;
  const std::string cause = !why.empty() ? std::string(why)
                            : ended_     ? "it ended"
                                         : std::strerror(fault_);
  return Fail(Code::kUnavailable,
              "the audit device does not take records: nothing is answered "
              "without its record",
              "audit device " + name_ + ": " + cause);
}

Status FileDevice::Submit(std::span<HashedLine> lines, bool durable, bool checkpoint) {
  Turn turn;
  turn.lines = lines;
  turn.counts = !checkpoint;
  Lock lock(mutex_);
  if (broken_ || (ended_ && !checkpoint)) return Refuse();
  if (std::ranges::any_of(lines, [this](const HashedLine& line) {
        return options_.longest_line != 0 && line.Octets() + kSealOctets > options_.longest_line;
      })) {
    return Refuse("the record is longer than it takes");
  }
  if (std::optional<Lead> lead = Await(lock, turn)) WriteGroup(lock, std::move(*lead));
  if (turn.state != Turn::State::kWritten) return Refuse();
  return durable ? WaitSynced(lock, turn.number, turn.failures) : Status{};
}

std::optional<FileDevice::Lead> FileDevice::Await(Lock& lock, Turn& turn) {
  queue_.push_back(&turn);
  if (queue_.front() == &turn) return Lead();
  const auto decided = [&] {
    return turn.state == Turn::State::kWritten || turn.state == Turn::State::kRefused ||
           (queue_.front() == &turn && turn.state == Turn::State::kWaiting);
  };
  if (turn.lines.empty()) {
    turn.ready.wait(lock, decided);
  } else if (!turn.ready.wait_for(lock, options_.write_wait, decided)) {
    std::erase(queue_, &turn);
    Break(ETIMEDOUT, "write to");  // the leader hangs in the kernel
    return std::nullopt;
  }
  if (turn.state != Turn::State::kWaiting) return std::nullopt;
  return Lead();
}

// While the lock is released only the caller's group leaves the front of the queue, if it has
// waited too long, and no other thread becomes the first: PassOn() is still to come.
void FileDevice::WriteGroup(Lock& lock, Lead lead) {
  ChainPosition at = head_;
  std::uint64_t lines = 0;
  std::uint64_t counted = 0;
  group_.assign(newline_owed_ ? "\n" : "");
  for (Turn* const turn : queue_) {
    if (turn->lines.empty()) break;  // the device's thread comes next
    if (lines > 0 && group_.size() + OctetsOf(turn->lines) > kGroupOctets) break;
    for (HashedLine& line : turn->lines) {
      at = line.Seal(at);
      group_.append(line.Beginning()).append(line.Rest());
    }
    turn->state = Turn::State::kTaken;
    lines += turn->lines.size();
    counted += turn->counts ? turn->lines.size() : 0;
  }
  lock.unlock();
  const Written written = Write(lead, group_);
  lock.lock();
  size_ += written.octets;
  const bool good = written.error == 0;
  if (good) {
    const std::uint64_t before = uncovered_;
    head_ = at;
    written_ += lines;
    uncovered_ += counted;
    newline_owed_ = false;
    torn_.clear();
    if (before < options_.checkpoint_entries && uncovered_ >= options_.checkpoint_entries &&
        want_checkpoint_) {
      want_checkpoint_();
    }
  } else {
    NoteTorn(std::string_view(group_).substr(0, written.octets));
  }
  if (group_.capacity() > 2 * kGroupOctets) group_ = {};
  for (; !queue_.empty() && queue_.front()->state == Turn::State::kTaken; queue_.pop_front()) {
    Turn& turn = *queue_.front();
    turn.state = good ? Turn::State::kWritten : Turn::State::kRefused;
    turn.number = written_;
    turn.failures = sync_failures_;
    turn.ready.notify_one();
  }
  if (!good) Break(written.error, "write to");
  if (Full() || written_ - synced_ >= options_.sync_entries) wake_.notify_one();
  PassOn(std::move(lead));
}

void FileDevice::PassOn(Lead) {
  if (!queue_.empty()) queue_.front()->ready.notify_one();
}

void FileDevice::Leave(Turn& turn, Lead lead) {
  std::erase(queue_, &turn);
  PassOn(std::move(lead));
}

void FileDevice::NoteTorn(std::string_view octets) {
  if (octets.empty()) return;
  newline_owed_ = octets.back() != '\n';
  torn_.insert(torn_.end(), octets.begin(), octets.end());
  if (const auto last = FindLastLine(AsText(torn_))) {
    head_ = last->at;
    torn_.erase(torn_.begin(), torn_.begin() + static_cast<std::ptrdiff_t>(last->end));
  }
}

FileDevice::Written FileDevice::Write(const Lead&, std::string_view octets) {
  Written done;
  std::optional<Steady::time_point> until;
  while (done.octets < octets.size()) {
    const std::int64_t wrote = files_.Write(file_, octets.substr(done.octets));
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
    const int ready = left.count() > 0 ? files_.WaitWritable(file_, left) : 0;
    if (ready == 0) done.error = ETIMEDOUT;
    if (ready < 0 && ready != -EINTR) done.error = -ready;
    if (done.error != 0) return done;
  }
  return done;
}

// From here on every line is refused, until the device's thread has opened the file anew.
void FileDevice::Break(int error, std::string_view what) {
  fault_ = error;
  if (!broken_) {
    logger_.Log(LogLevel::kError, "audit", "audit device failed: records are refused",
                {{"device", name_},
                 {"path", options_.path.string()},
                 {"why", "failed to " + std::string(what) + " it: " + std::strerror(error)}});
  }
  broken_ = true;
  ++sync_failures_;  // no thread must wait for a sync that will not come
  std::erase_if(queue_, [](Turn* turn) {
    if (turn->lines.empty() || turn->state != Turn::State::kWaiting) return false;
    turn->state = Turn::State::kRefused;
    turn->ready.notify_one();
    return true;
  });
  changed_.notify_all();
  wake_.notify_one();
}

Status FileDevice::WaitSynced(Lock& lock, std::uint64_t number, std::uint64_t failures) {
  sync_wanted_ = true;
  wake_.notify_one();
  const bool decided = changed_.wait_for(
      lock, options_.sync_wait, [&] { return synced_ >= number || sync_failures_ != failures; });
  if (decided && sync_failures_ == failures) return {};
  if (!decided) fault_ = ETIMEDOUT;
  return Refuse();
}

Result<ChainPosition> FileDevice::SyncedHead() {
  Lock lock(mutex_);
  if (broken_) return Fail(Refuse().error());
  const ChainPosition head = head_;
  if (synced_ < written_) COFFER_TRY(WaitSynced(lock, written_, sync_failures_));
  return head;
}

std::optional<ChainPosition> FileDevice::HeadToSign() {
  const std::lock_guard lock(mutex_);
  if (broken_ || uncovered_ == 0) return std::nullopt;
  return head_;
}

FileDevice::Counts FileDevice::Count() const {
  const std::lock_guard lock(mutex_);
  return {written_, refused_ever_, written_ - synced_, uncovered_,
          size_,    !broken_,      identity_.regular};
}

void FileDevice::End() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

void FileDevice::Reopen() {
  const std::lock_guard lock(mutex_);
  reopen_wanted_ = true;
  wake_.notify_one();
}

FileDevice::Known FileDevice::Stop() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  return begun_ ? Known{head_, true} : known_;
}

FileDevice::~FileDevice() {
  Stop();
  if (file_ >= 0) files_.Close(file_);
}

}  // namespace coffer::audit
