#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace coffer::http {

// Counts the open connections, in all and for each address; IPv6 addresses of one /64 count
// together (ClientNetwork). Thread-safe; its leases share the ownership.
class ConnectionLimits : public std::enable_shared_from_this<ConnectionLimits> {
 public:
  ConnectionLimits(std::size_t in_all, std::size_t per_address)
      : in_all_(in_all), per_address_(per_address) {}

  // One connection's place, given back when destroyed. Move-only.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { Release(); }

   private:
    friend class ConnectionLimits;
    Lease(std::shared_ptr<ConnectionLimits> limits, std::string network)
        : limits_(std::move(limits)), network_(std::move(network)) {}
    void Release();
    std::shared_ptr<ConnectionLimits> limits_;
    std::string network_;  // empty: counts in all only
  };

  // Counts one more connection, and returns nothing if there is no room. An empty address counts in
  // all only.
  std::optional<Lease> Enter(std::string_view address);
  // Gives an address to a lease that had none. False if there is no room for that address.
  bool Name(Lease& lease, std::string_view address);
  std::size_t Open() const { return open_.load(); }

 private:
  bool Count(const std::string& network);

  const std::size_t in_all_;
  const std::size_t per_address_;
  std::atomic<std::size_t> open_{0};
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> by_network_;  // protected by mutex_
};

}  // namespace coffer::http
