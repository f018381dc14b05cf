#pragma once

#include <chrono>
#include <optional>

namespace coffer::http {

// Tells a worker when to turn requests away. All that are ready when it looks at its sockets wait
// for those before them: a round. Where requests wait longer than `max_wait` in rounds on end, for
// longer than `grace`, they are shed, but for the first few connections of each round. After CoDel
// (RFC 8289): a short burst is served, a standing queue is not. A few clients whose requests take
// long, one behind the other, are no overload. One thread.
class OverloadGuard {
 public:
  using Steady = std::chrono::steady_clock;
  // Connections of a round that are served however long those before them took.
  static constexpr int kAlwaysServed = 8;
  // For how long a new queue gets no grace after requests were shed.
  static constexpr std::chrono::seconds kMemory{1};

  OverloadGuard(std::chrono::milliseconds max_wait, std::chrono::milliseconds grace)
      : max_wait_(max_wait), grace_(grace) {}

  void BeginRound(Steady::time_point now) {
    round_ = now;
    served_ = 0;
    late_ = false;
  }
  // The next connection's.
  void BeginTurn() { turn_.reset(); }
  void EndRound() {
    if (!late_) late_since_.reset();
  }
  // Whether the requests of this turn must be turned away.
  bool Shed(Steady::time_point now) {
    if (!turn_) turn_ = Decide(now);
    return *turn_;
  }

 private:
  bool Decide(Steady::time_point now) {
    if (served_ < kAlwaysServed || now - round_ <= max_wait_) {
      ++served_;
      return false;
    }
    late_ = true;
    if (!late_since_) late_since_ = now;
    const bool remembered = last_shed_ && now - *last_shed_ < kMemory;
    if (now - *late_since_ < grace_ && !remembered) return false;
    last_shed_ = now;
    return true;
  }

  const std::chrono::milliseconds max_wait_;
  const std::chrono::milliseconds grace_;
  Steady::time_point round_{};
  int served_ = 0;
  bool late_ = false;         // a request of this round waited too long
  std::optional<bool> turn_;  // the decision on this turn
  std::optional<Steady::time_point> late_since_;
  std::optional<Steady::time_point> last_shed_;
};

}  // namespace coffer::http
