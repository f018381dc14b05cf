#pragma once

#include <chrono>
#include <optional>

namespace coffer::http {

// Tells a worker when to turn requests away. All that are ready when it looks at its sockets wait
// for those before them; where the last of them have waited longer than `max_wait` for longer than
// `grace`, those that wait longer than `max_wait` are shed, until a round ends in time again. After
// CoDel (RFC 8289): a short burst is served, a standing queue is not. One thread.
class OverloadGuard {
 public:
  using Steady = std::chrono::steady_clock;
  // For how long a new queue gets no grace after requests were shed.
  static constexpr std::chrono::seconds kMemory{1};

  OverloadGuard(std::chrono::milliseconds max_wait, std::chrono::milliseconds grace)
      : max_wait_(max_wait), grace_(grace) {}

  void BeginRound(Steady::time_point now) { round_ = now; }
  void EndRound(Steady::time_point now) {
    if (now - round_ <= max_wait_) late_since_.reset();
  }
  // Whether the request that is next must be turned away.
  bool Shed(Steady::time_point now) {
    if (now - round_ <= max_wait_) return false;
    if (!late_since_) late_since_ = now;
    const bool remembered = last_shed_ && now - *last_shed_ < kMemory;
    if (now - *late_since_ < grace_ && !remembered) return false;
    last_shed_ = now;
    return true;
  }

 private:
  const std::chrono::milliseconds max_wait_;
  const std::chrono::milliseconds grace_;
  Steady::time_point round_{};
  std::optional<Steady::time_point> late_since_;
  std::optional<Steady::time_point> last_shed_;
};

}  // namespace coffer::http
