#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "coffer/base/literal_text.h"
#include "coffer/base/logger.h"

namespace coffer {

// Holds the time at which the present piece of work of one thread began. That thread writes it, any
// thread may read it.
class WorkClock {
 public:
  using Time = std::chrono::steady_clock::time_point;
  void Begin(Time now) { begun_.store(now, std::memory_order_relaxed); }
  void End() { begun_.store(kIdle, std::memory_order_relaxed); }
  // Nothing: it is at no work.
  std::optional<Time> Since() const {
    const Time begun = begun_.load(std::memory_order_relaxed);
    return begun == kIdle ? std::nullopt : std::optional(begun);
  }

 private:
  static constexpr Time kIdle{};
  std::atomic<Time> begun_{kIdle};
};

// The watch notices work that does not end, such as a call into the token or a request; the thread
// that does the work cannot notice it itself. The server owns one. Any thread may call, except
// where a function says otherwise; no function fails. After `wait` the subject counts as stalled
// (the server is not ready), until the work ends after all; after `hang` the process has to be
// replaced. Time in which the watch itself did not run, since the process was stopped or had no
// processor, is not counted. The watch has a thread of its own.
class StallWatch {
 public:
  using Time = WorkClock::Time;
  struct Limits {
    std::chrono::milliseconds wait{5'000};
    // Nothing: the work may take any time, until Finish() is called.
    std::optional<std::chrono::milliseconds> hang = std::chrono::milliseconds(10'000);
  };
  struct Subject {
    std::string name;  // for the log: "worker 3"
    LiteralText work;  // "a call into the token"
    // Returns the time at which the present work began, or nothing. Any thread.
    std::function<std::optional<Time>()> since;
    Limits limits = {};
    std::optional<std::size_t> worker = std::nullopt;  // of the HTTP server, whose thread it is
  };
  // Called on the watch's thread, which does nothing else meanwhile.
  struct Reactions {
    std::function<void(const Subject& subject, bool stalled)> on_change;
    std::function<void(const Subject& subject)> on_hang;
  };

  StallWatch(Reactions reactions, Logger& logger,
             std::chrono::milliseconds period = std::chrono::milliseconds(100));
  ~StallWatch();  // ends the thread
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

  // Watches one more from now on. Any thread but the watch's.
  void Add(Subject subject);
  void Start();
  // The process is to end: from now on no work may take longer than its own `hang`, or, if it has
  // none, than this `hang`. Any thread but the watch's.
  void Finish(std::chrono::milliseconds hang, Time now = std::chrono::steady_clock::now());
  // One look at all subjects, as the thread does it every period. Not to be called once Start() was
  // called.
  void Check(Time now);
  // Tells whether any subject is stalled. Any thread.
  bool AnyStalled() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer
