#include <charconv>
#include <cstdio>
#include <utility>

#include "server/config_file.h"

namespace coffer::server {
namespace {

constexpr std::size_t kMaxSocketPath = 107;  // sockaddr_un

Result<unsigned> ReadMode(const std::string& text, hcl::Position at) {
  unsigned mode = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, mode, 8);
  if (error != std::errc{} || stopped != end || mode > 0777) {
    return hcl::FailAt(at, "\"socket_mode\" must be octal digits such as \"0660\"");
  }
  return mode;
}

// Which name is free or resolves is known only at the start.
Status CheckHostPort(const std::string& address, hcl::Position at) {
  const std::size_t colon = address.rfind(':');
  unsigned port = 0;
  if (colon != std::string::npos && colon > 0) {
    const char* const end = address.data() + address.size();
    const auto [stopped, error] = std::from_chars(address.data() + colon + 1, end, port);
    const bool bracketed = address.front() == '[' && address[colon - 1] == ']';
    const bool plain = address.find(':') == colon;
    if (error == std::errc{} && stopped == end && port <= 65535 && (bracketed || plain)) return {};
  }
  return hcl::FailAt(at, "\"address\" must be HOST:PORT");
}

}  // namespace

Status ReadListener(const hcl::Block& block, Config& config) {
  const hcl::Label& kind = block.labels.front();
  const bool tcp = kind.text == "tcp";
  if (!tcp && kind.text != "unix") {
    return hcl::FailAt(kind.at, "a listener is \"tcp\" or \"unix\", not \"" + kind.text + "\"");
  }
  hcl::ObjectReader reader(*block.body, tcp ? "listener \"tcp\"" : "listener \"unix\"");
  http::Listener listener;
  listener.kind = tcp ? http::Listener::Kind::kTcp : http::Listener::Kind::kUnix;
  COFFER_ASSIGN(const auto address, reader.Text("address"));
  if (!address) return hcl::FailAt(block.at, "the listener has no \"address\"");
  listener.address = *address;
  const hcl::Position at = reader.At("address");
  if (tcp) {
    COFFER_TRY(CheckHostPort(*address, at));
  } else {
    COFFER_TRY(AbsolutePath("address", *address, at));
    if (address->size() > kMaxSocketPath) {
      return hcl::FailAt(at, "the path of a unix socket has at most 107 octets");
    }
    COFFER_ASSIGN(const auto mode, reader.Text("socket_mode"));
    if (mode) {
      COFFER_ASSIGN(listener.mode, ReadMode(*mode, reader.At("socket_mode")));
    }
  }
  COFFER_TRY(reader.Finish());
  config.http.listeners.push_back(std::move(listener));
  return {};
}

void PrintListeners(const Config& config, std::string& out) {
  for (const http::Listener& listener : config.http.listeners) {
    const bool tcp = listener.kind == http::Listener::Kind::kTcp;
    out += tcp ? "listener \"tcp\" {\n" : "listener \"unix\" {\n";
    PrintText("address", listener.address, out);
    if (!tcp) {
      char mode[8];
      std::snprintf(mode, sizeof mode, "%04o", listener.mode);
      PrintText("socket_mode", mode, out);
    }
    out += "}\n";
  }
}

}  // namespace coffer::server
