#include "http/connection_limits.h"

#include <utility>

namespace coffer::http {

ConnectionLimits::Lease& ConnectionLimits::Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  Release();
  limits_ = std::move(other.limits_);
  address_ = std::move(other.address_);
  return *this;
}

void ConnectionLimits::Lease::Release() {
  if (limits_ == nullptr) return;
  if (!address_.empty()) {
    const std::lock_guard lock(limits_->mutex_);
    const auto found = limits_->by_address_.find(address_);
    if (--found->second == 0) limits_->by_address_.erase(found);
  }
  limits_->open_.fetch_sub(1);
  limits_.reset();
}

bool ConnectionLimits::Count(std::string_view address) {
  const std::lock_guard lock(mutex_);
  std::size_t& count = by_address_[std::string(address)];
  if (count >= per_address_) return false;
  ++count;
  return true;
}

std::optional<ConnectionLimits::Lease> ConnectionLimits::Enter(std::string_view address) {
  if (open_.fetch_add(1) >= in_all_ || (!address.empty() && !Count(address))) {
    open_.fetch_sub(1);
    return std::nullopt;
  }
  return Lease(shared_from_this(), std::string(address));
}

bool ConnectionLimits::Name(Lease& lease, std::string_view address) {
  if (!Count(address)) return false;
  lease.address_ = address;
  return true;
}

}  // namespace coffer::http
