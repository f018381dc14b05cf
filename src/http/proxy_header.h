#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coffer::http {

// The header that a load balancer sends before a connection's first byte (HAProxy's PROXY protocol,
// versions 1 and 2).
struct ProxyHeader {
  enum class State { kNeedMore, kDone, kBad };
  State state = State::kNeedMore;
  // kNeedMore: at least this many more bytes belong to the header, so reading them takes nothing
  // that follows it.
  std::size_t more = 0;
  // kDone: the client's address; empty if the proxy speaks for itself or does not know (LOCAL,
  // UNKNOWN, UNSPEC).
  std::string address;
  std::uint16_t port = 0;
};

// `octets` begins with the connection's first byte and holds nothing after the header.
ProxyHeader ParseProxyHeader(std::string_view octets);

}  // namespace coffer::http
