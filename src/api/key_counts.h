#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "coffer/metrics/registry.h"

namespace coffer::api {

// Counts successful requests of transit by key and operation. The first `limit` keys have series of
// their own until the server ends; all others share one. Any thread.
class KeyCounts {
 public:
  explicit KeyCounts(std::size_t limit) : limit_(limit) {}  // 0: nothing is counted

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
  using Requests = std::array<std::uint64_t, kOperations.size()>;  // by operation
  // Finds an entry by views, so that counting a known key allocates nothing.
  struct Before {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): std::map asks for it
    template <typename One, typename Other>
    bool operator()(const One& one, const Other& other) const {
      using Views = std::pair<std::string_view, std::string_view>;
      return Views(one.first, one.second) < Views(other.first, other.second);
    }
  };

  Requests& Of(std::string_view mount_accessor, std::string_view key);

  const std::size_t limit_;
  mutable std::mutex mutex_;  // protects what follows
  std::map<std::pair<std::string, std::string>, Requests, Before> keys_;
  Requests others_{};
};

}  // namespace coffer::api
