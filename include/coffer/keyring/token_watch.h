#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "coffer/base/logger.h"

namespace coffer::keyring {

// Sees from outside a call into the token that does not come back: its own thread cannot. After
// `wait` the instance counts as stalled (its thread serves nobody, the server is not ready), until
// the call returns after all; after `hang` the process has to be replaced. A thread of its own.
// Instances have numbers, in the order in which they were added.
class TokenWatch {
 public:
  struct Limits {
    std::chrono::milliseconds wait{5'000};
    std::chrono::milliseconds hang{10'000};
    std::chrono::milliseconds period{100};
  };
  // Called on the watch's thread, which does nothing else meanwhile.
  struct Reactions {
    std::function<void(std::size_t instance, bool stalled)> on_change;
    std::function<void(std::size_t instance)> on_hang;
  };
  // When the present call of an instance began, or nothing: pkcs11::Module::Calls. Any thread.
  using CallSince = std::function<std::optional<std::chrono::steady_clock::time_point>()>;

  TokenWatch(Limits limits, Reactions reactions, Logger& logger);
  ~TokenWatch();  // ends the thread
  TokenWatch(const TokenWatch&) = delete;
  TokenWatch& operator=(const TokenWatch&) = delete;

  // Watches one more from now on; `name` is for the log. Any thread but the watch's.
  void Add(std::string name, CallSince call_since);
  void Start();
  // One look at all instances, as the thread does it every period. Not beside a started thread.
  void Check(std::chrono::steady_clock::time_point now);
  // Whether any instance is stalled. Any thread.
  bool AnyStalled() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::keyring
