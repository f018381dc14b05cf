#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/endpoint.h"
#include "coffer/base/counters.h"
#include "coffer/metrics/registry.h"

namespace coffer::api {

// Counts successful requests of transit by key and operation. The first `limit` keys have series of
// their own until the server ends; all others share one. Any thread; a key that has its series is
// found without a lock.
class KeyCounts {
 public:
  explicit KeyCounts(std::size_t limit);  // 0: nothing is counted
  ~KeyCounts();
  KeyCounts(const KeyCounts&) = delete;
  KeyCounts& operator=(const KeyCounts&) = delete;

  bool Counting() const { return limit_ > 0; }
  // `pattern` is the endpoint's: its first segment names the operation.
  void Note(std::string_view mount_accessor, std::string_view key, std::string_view pattern);
  // Registers coffer_key_requests_total, if anything is counted. This object must outlive the
  // reading.
  void Register(metrics::Registry& registry) const;

 private:
  // The first segments that name an operation on a key.
  static constexpr std::array<std::string_view, 11> kOperations{
      "encrypt", "decrypt", "rewrap", "datakey", "sign", "verify",
      "hmac",    "cmac",    "keys",   "backup",  "other"};
  struct Entry {
    std::string mount_accessor;
    std::string key;
    std::array<Counter, kOperations.size()> requests;
  };

  Entry* Find(std::string_view mount_accessor, std::string_view key);
  static void Show(const Entry& entry, metrics::Samples& samples);

  const std::size_t limit_;
  std::vector<std::atomic<Entry*>> slots_;  // open addressing; never more than half full
  std::atomic<std::size_t> taken_{0};
  Entry others_;
};

}  // namespace coffer::api
