#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::http {

// "::ffff:192.0.2.1" is "192.0.2.1", and IPv6 as RFC 5952 writes it; empty for what is no address.
std::string CanonicalAddress(std::string_view text);

// What one client may have addresses of: an IPv4 address itself, of an IPv6 address its /64. What
// is no address is taken as it is.
std::string ClientNetwork(std::string_view text);

// Networks and single addresses, of IPv4 and IPv6; "unix" for local sockets. Immutable.
class AddressSet {
 public:
  // kInvalid with the text that is none of these.
  static Result<AddressSet> Parse(const std::vector<std::string>& texts);
  AddressSet() = default;

  bool empty() const { return networks_.empty() && !unix_; }
  // `address` as Request::remote_address has it.
  bool Contains(std::string_view address) const;

 private:
  struct Network {
    std::array<std::uint8_t, 16> octets{};  // IPv4 mapped into IPv6
    unsigned bits = 0;
  };
  std::vector<Network> networks_;
  bool unix_ = false;
};

// The client of a request that came from a trusted proxy: the last address of X-Forwarded-For that
// is not itself a trusted proxy, or the first one where all are. Empty where a part is no address.
std::string ForwardedClient(std::string_view header, const AddressSet& trusted);

}  // namespace coffer::http
