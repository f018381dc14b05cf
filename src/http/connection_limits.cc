#include "http/connection_limits.h"

#include <utility>

#include "coffer/base/address_set.h"

namespace coffer::http {

ConnectionLimits::Lease& ConnectionLimits::Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  Release();
  limits_ = std::move(other.limits_);
  network_ = std::move(other.network_);
  return *this;
}

void ConnectionLimits::Lease::Release() {
  if (limits_ == nullptr) return;
  if (!network_.empty()) {
    const std::lock_guard lock(limits_->mutex_);
    const auto found = limits_->by_network_.find(network_);
    if (--found->second == 0) limits_->by_network_.erase(found);
  }
  limits_->open_.fetch_sub(1);
  limits_.reset();
}

bool ConnectionLimits::Count(const std::string& network) {
  const std::lock_guard lock(mutex_);
  std::size_t& count = by_network_[network];
  if (count >= per_address_) return false;
  ++count;
  return true;
}

std::optional<ConnectionLimits::Lease> ConnectionLimits::Enter(std::string_view address) {
  std::string network = ClientNetwork(address);
  if (open_.fetch_add(1) >= in_all_ || (!network.empty() && !Count(network))) {
    open_.fetch_sub(1);
    return std::nullopt;
  }
  return Lease(shared_from_this(), std::move(network));
}

bool ConnectionLimits::Name(Lease& lease, std::string_view address) {
  std::string network = ClientNetwork(address);
  if (!Count(network)) return false;
  lease.network_ = std::move(network);
  return true;
}

}  // namespace coffer::http
