#include "server/log/log_writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>

namespace coffer::server {
namespace {

constexpr std::chrono::seconds kFarewell{1};

// False where the descriptor is of no use for now: a full disk, a pipe without a reader.
bool WriteAll(int descriptor, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t wrote = ::write(descriptor, octets.data(), octets.size());
    if (wrote >= 0) {
      octets.remove_prefix(static_cast<std::size_t>(wrote));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    pollfd ready{descriptor, POLLOUT, 0};
    ::poll(&ready, 1, -1);
  }
  return true;
}

}  // namespace

// Shared with the thread, which may outlive the writer.
struct LogWriter::Shared {
  Shared(int where, std::size_t most, std::function<std::string(std::uint64_t)> saying)
      : descriptor(where), max_queued(most), dropped_line(std::move(saying)) {}

  const int descriptor;
  const std::size_t max_queued;
  const std::function<std::string(std::uint64_t)> dropped_line;

  mutable std::mutex mutex;
  std::condition_variable queued;   // the thread: lines, or the end
  std::condition_variable written;  // callers: nothing is left, or the thread has ended
  // Protected by mutex.
  std::string queue;
  std::uint64_t lines = 0;  // in queue
  std::uint64_t dropped = 0;
  std::uint64_t told = 0;  // of dropped
  bool writing = false;
  bool stopping = false;
  bool ended = false;

  std::thread thread;

  bool Idle() const { return queue.empty() && !writing; }

  void Loop() {
    std::unique_lock lock(mutex);
    while (true) {
      queued.wait(lock, [this] { return stopping || !queue.empty(); });
      if (queue.empty()) break;
      std::string octets = std::exchange(queue, {});
      const std::uint64_t taken = std::exchange(lines, 0);
      const std::uint64_t untold = dropped - told;
      writing = true;
      lock.unlock();
      if (untold > 0) octets += dropped_line(untold);
      const bool done = WriteAll(descriptor, octets);
      lock.lock();
      writing = false;
      if (done) {
        told += untold;
      } else {
        dropped += taken;
      }
      if (Idle()) written.notify_all();
    }
    ended = true;
    written.notify_all();
  }
};

LogWriter::LogWriter(int descriptor, std::size_t max_queued_octets,
                     std::function<std::string(std::uint64_t)> dropped_line)
    : shared_(std::make_shared<Shared>(descriptor, max_queued_octets, std::move(dropped_line))) {
  // Blocks all signals in the new thread, which inherits the mask: other threads wait for them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  shared_->thread = std::thread([shared = shared_] { shared->Loop(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LogWriter::~LogWriter() {
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->queued.notify_one();
  const bool ended = shared_->written.wait_for(lock, kFarewell, [this] { return shared_->ended; });
  lock.unlock();
  if (ended) {
    shared_->thread.join();
  } else {
    shared_->thread.detach();
  }
}

void LogWriter::Put(std::string_view line) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->queue.size() + line.size() > shared_->max_queued) {
    ++shared_->dropped;
    return;
  }
  shared_->queue += line;
  ++shared_->lines;
  shared_->queued.notify_one();
}

bool LogWriter::Flush(std::chrono::milliseconds wait) {
  std::unique_lock lock(shared_->mutex);
  return shared_->written.wait_for(lock, wait, [this] { return shared_->Idle(); });
}

std::uint64_t LogWriter::Dropped() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->dropped;
}

}  // namespace coffer::server
