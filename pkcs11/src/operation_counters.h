#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "coffer/base/counters.h"
#include "coffer/pkcs11/statistics.h"
#include "coffer/pkcs11/types.h"

namespace coffer::pkcs11 {

// The row of a mechanism in the table of counts; 0 for one that has no name here.
std::size_t MechanismIndex(MechanismType mechanism);
inline constexpr std::size_t kMechanismRows = 48;

// A module's operations, counted. Any thread.
class OperationCounters {
 public:
  // Counts one operation when it ends: as failed unless Succeeded() was called.
  class Operation {
   public:
    Operation(OperationCounters& counters, OperationKind kind, std::size_t mechanism)
        : counters_(counters), kind_(kind), mechanism_(mechanism) {}
    ~Operation() {
      counters_.Observe(kind_, std::chrono::steady_clock::now() - begun_);
      counters_.Count(kind_, mechanism_, succeeded_);
    }
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;
    void Succeeded() { succeeded_ = true; }

   private:
    OperationCounters& counters_;
    const OperationKind kind_;
    const std::size_t mechanism_;
    bool succeeded_ = false;
    const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  };

  // Adds what was counted so far.
  void AddTo(Statistics& sum) const;

  std::atomic<std::uint64_t> open_sessions{0};

 private:
  struct Row {
    Counter done;
    Counter failed;
  };

  void Observe(OperationKind kind, std::chrono::nanoseconds took) {
    durations_[static_cast<std::size_t>(kind)].Observe(took);
  }
  void Count(OperationKind kind, std::size_t mechanism, bool succeeded) {
    Row& row = rows_[static_cast<std::size_t>(kind)][mechanism];
    (succeeded ? row.done : row.failed).Add();
  }

  std::array<std::array<Row, kMechanismRows>, kOperationKinds> rows_{};
  std::array<DurationHistogram, kOperationKinds> durations_{};
};

}  // namespace coffer::pkcs11
