#include "coffer/base/stall_watch.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace coffer {

struct StallWatch::Impl {
  static constexpr std::chrono::seconds kStandstill{1};  // between two looks, which are due sooner

  struct Watched {
    Subject subject;
    bool stalled = false;
    bool hung = false;
  };

  Impl(Reactions wanted, Logger& log, std::chrono::milliseconds look_every)
      : reactions(std::move(wanted)), logger(log), period(look_every) {}

  void Say(LogLevel level, const Subject& subject, std::string_view what) {
    logger.Log(level, "server", std::string(subject.work) + std::string(what),
               {{"instance", subject.name}});
  }

  void LookAtAll(Time now) {
    // If the last look is long ago, the process or this thread did not run. That says nothing about
    // the watched work, so its time is counted anew.
    if (last_look && now - *last_look > kStandstill) awake_since = now;
    last_look = now;
    for (Watched& one : watched) Look(one, now);
  }

  void Look(Watched& one, Time now) {
    const Subject& subject = one.subject;
    std::optional<Time> since = subject.since();
    if (since) since = std::max(*since, awake_since);
    const auto age = since ? now - *since : Time::duration::zero();
    if (const bool stalled = age >= subject.limits.wait; stalled != one.stalled) {
      one.stalled = stalled;
      // The server stops being ready before connections are turned away, and becomes ready only
      // after the thread works again.
      if (stalled) stalled_count.fetch_add(1);
      Say(stalled ? LogLevel::kError : LogLevel::kInfo, subject,
          stalled ? " does not return" : " has returned after all");
      reactions.on_change(subject, stalled);
      if (!stalled) stalled_count.fetch_sub(1);
    }
    if (!since || one.hung) return;
    // Work that had begun when Finish() was called has as much time as work that begins then.
    const auto held = subject.limits.hang ? age : now - std::max(*since, finishing_since);
    const auto hang = subject.limits.hang ? subject.limits.hang : last_hang;
    if (!hang || held < *hang) return;
    one.hung = true;
    Say(LogLevel::kError, subject, " hangs: giving up");
    reactions.on_hang(subject);
  }

  void Loop() {
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, period, [this] { return stopping; })) {
      LookAtAll(std::chrono::steady_clock::now());
    }
  }

  const Reactions reactions;
  Logger& logger;
  const std::chrono::milliseconds period;
  std::atomic<int> stalled_count{0};

  std::mutex mutex;
  std::condition_variable ended;
  // Guarded by mutex.
  std::vector<Watched> watched;
  std::optional<std::chrono::milliseconds> last_hang;
  Time finishing_since{};
  std::optional<Time> last_look;
  Time awake_since{};
  bool stopping = false;
  std::thread thread;
};

StallWatch::StallWatch(Reactions reactions, Logger& logger, std::chrono::milliseconds period)
    : impl_(std::make_unique<Impl>(std::move(reactions), logger, period)) {}

StallWatch::~StallWatch() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->ended.notify_one();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void StallWatch::Add(Subject subject) {
  const std::lock_guard lock(impl_->mutex);
  impl_->watched.push_back({std::move(subject)});
}

void StallWatch::Start() {
  impl_->thread = std::thread([impl = impl_.get()] { impl->Loop(); });
}

void StallWatch::Finish(std::chrono::milliseconds hang, Time now) {
  const std::lock_guard lock(impl_->mutex);
  impl_->finishing_since = now;
  impl_->last_hang = hang;
}

void StallWatch::Check(Time now) {
  const std::lock_guard lock(impl_->mutex);
  impl_->LookAtAll(now);
}

bool StallWatch::AnyStalled() const { return impl_->stalled_count.load() > 0; }

}  // namespace coffer
