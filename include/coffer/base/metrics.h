#pragma once

#include <cstdint>
#include <string_view>

namespace coffer {

// Counters by fixed name. Thread-safe; cheap enough for the hot path.
class Metrics {
 public:
  virtual ~Metrics() = default;
  virtual void Increment(std::string_view name, std::uint64_t by = 1) = 0;
};

class NullMetrics final : public Metrics {
 public:
  void Increment(std::string_view, std::uint64_t) override {}
};

}  // namespace coffer
