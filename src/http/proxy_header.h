#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coffer::http {

// What a load balancer says before a connection's first octet (HAProxy's PROXY protocol,
// versions 1 and 2).
struct ProxyHeader {
  enum class State { kNeedMore, kDone, kBad };
  State state = State::kNeedMore;
  // kNeedMore: at least so many octets follow that belong to the header. Never more than do.
  std::size_t more = 0;
  // kDone; empty where the proxy speaks for itself or does not know (LOCAL, UNKNOWN, UNSPEC).
  std::string address;
  std::uint16_t port = 0;
};

// `octets` begins with the connection's first octet and holds nothing behind the header.
ProxyHeader ParseProxyHeader(std::string_view octets);

}  // namespace coffer::http
