#include "coffer/keyring/token_watch.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace coffer::keyring {

using Steady = std::chrono::steady_clock;

struct TokenWatch::Impl {
  struct Instance {
    std::string name;
    CallSince call_since;
    bool stalled = false;
    bool hung = false;
  };

  Impl(Limits given, Reactions wanted, Logger& log)
      : limits(given), reactions(std::move(wanted)), logger(log) {}

  void Look(std::size_t index, Steady::time_point now) {
    Instance& instance = instances[index];
    const std::optional<Steady::time_point> since = instance.call_since();
    const auto age = since ? now - *since : Steady::duration::zero();
    if (const bool stalled = age >= limits.wait; stalled != instance.stalled) {
      instance.stalled = stalled;
      // Not ready before anybody is sent away, ready again after the thread is.
      if (stalled) stalled_count.fetch_add(1);
      logger.Log(stalled ? LogLevel::kError : LogLevel::kInfo, "keyring",
                 stalled ? "a call into the token does not return"
                         : "a call into the token has returned after all",
                 {{"instance", instance.name}});
      reactions.on_change(index, stalled);
      if (!stalled) stalled_count.fetch_sub(1);
    }
    if (age < limits.hang || instance.hung) return;
    instance.hung = true;
    logger.Log(LogLevel::kError, "keyring", "a call into the token hangs: giving up",
               {{"instance", instance.name}});
    reactions.on_hang(index);
  }

  void Loop() {
    std::unique_lock lock(mutex);
    while (!ended.wait_for(lock, limits.period, [this] { return stopping; })) {
      for (std::size_t i = 0; i < instances.size(); ++i) Look(i, Steady::now());
    }
  }

  const Limits limits;
  const Reactions reactions;
  Logger& logger;
  std::atomic<int> stalled_count{0};

  std::mutex mutex;
  std::condition_variable ended;
  // Guarded by mutex.
  std::vector<Instance> instances;
  bool stopping = false;
  std::thread thread;
};

TokenWatch::TokenWatch(Limits limits, Reactions reactions, Logger& logger)
    : impl_(std::make_unique<Impl>(limits, std::move(reactions), logger)) {}

TokenWatch::~TokenWatch() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->ended.notify_one();
  if (impl_->thread.joinable()) impl_->thread.join();
}

void TokenWatch::Add(std::string name, CallSince call_since) {
  const std::lock_guard lock(impl_->mutex);
  impl_->instances.push_back({std::move(name), std::move(call_since)});
}

void TokenWatch::Start() {
  impl_->thread = std::thread([impl = impl_.get()] { impl->Loop(); });
}

void TokenWatch::Check(Steady::time_point now) {
  const std::lock_guard lock(impl_->mutex);
  for (std::size_t i = 0; i < impl_->instances.size(); ++i) impl_->Look(i, now);
}

bool TokenWatch::AnyStalled() const { return impl_->stalled_count.load() > 0; }

}  // namespace coffer::keyring
