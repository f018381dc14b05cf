#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace coffer::server {

// Writes lines to a descriptor by a thread of its own, so that a reader that does not read blocks
// no thread that logs. A line that has no room in the queue is dropped and counted; once there is
// room again, a line says how many were dropped. Thread-safe.
class LogWriter {
 public:
  // `dropped_line` makes that line.
  LogWriter(int descriptor, std::size_t max_queued_octets,
            std::function<std::string(std::uint64_t dropped)> dropped_line);
  // Writes the queued lines, for a second at most. If a write hangs, its thread is left to itself.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  void Put(std::string_view line);
  // Waits until nothing is queued. False where `wait` did not suffice.
  bool Flush(std::chrono::milliseconds wait);
  // Lines that had no room, or that the descriptor did not take.
  std::uint64_t Dropped() const;

 private:
  struct Shared;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace coffer::server
