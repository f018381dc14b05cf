#pragma once

// Sets of networks and addresses, and the address of a client behind proxies. Values and functions
// without any state, which the caller owns; any thread. Errors: kInvalid for a text that is no
// address.
// Example: `COFFER_ASSIGN(const AddressSet trusted, AddressSet::Parse({"10.0.0.0/8", "unix"}));`

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"

namespace coffer {

// Writes an address in its one form: "::ffff:192.0.2.1" becomes "192.0.2.1", and IPv6 is written as
// in RFC 5952. Empty if the text is no address.
std::string CanonicalAddress(std::string_view text);

// The network that is counted as one client: an IPv4 address alone, the /64 of an IPv6 address. A
// text that is no address is returned unchanged.
std::string ClientNetwork(std::string_view text);

// A set of networks and single addresses of IPv4 and IPv6; "unix" stands for local sockets.
// Immutable.
class AddressSet {
 public:
  // kInvalid, quoting the text that is neither a network nor an address nor "unix".
  static Result<AddressSet> Parse(const std::vector<std::string>& texts);
  AddressSet() = default;

  bool empty() const { return networks_.empty() && !unix_; }
  // `address` is written as in Request::remote_address.
  bool Contains(std::string_view address) const;

 private:
  struct Network {
    std::array<std::uint8_t, 16> octets{};  // IPv4 mapped into IPv6
    unsigned bits = 0;
  };
  std::vector<Network> networks_;
  bool unix_ = false;
};

// The client of a request that came through trusted proxies: the last address of X-Forwarded-For
// that is not itself a trusted proxy, or the first address if all are. Empty if a part of the
// header is no address.
std::string ForwardedClient(std::string_view header, const AddressSet& trusted);

}  // namespace coffer
