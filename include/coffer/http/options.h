#pragma once

// The settings of a server of HTTP. The program's wiring fills them in from the configuration and
// gives them to Server::Start(), which copies them. Plain data without threads; Start() says which
// of them are wrong.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace coffer::http {

enum class ClientCertificates { kNone, kOptional, kRequired };

// The TLS settings of a listener; all files are PEM. TLS 1.2 with AEAD suites and TLS 1.3 are
// spoken, nothing older.
struct TlsOptions {
  std::string certificate_file;  // the server's own first, then its chain
  std::string key_file;          // not encrypted, not readable by everybody
  // A client certificate that is sent is always verified: chain, dates, purpose, revocation.
  ClientCertificates client_certificates = ClientCertificates::kNone;
  std::string client_ca_file;
  // One revocation list for each authority of a chain; empty: revocation is not checked. An expired
  // list makes every client certificate of its authority refused.
  std::string client_crl_file;
};

// A place to listen.
struct Listener {
  enum class Kind { kTcp, kUnix };
  Kind kind = Kind::kTcp;
  std::string address;   // "127.0.0.1:8200", "[::1]:0" (port 0: any), or the socket's path
  unsigned mode = 0600;  // the mode of a Unix socket's file
  std::optional<TlsOptions> tls = std::nullopt;
  // Plain HTTP on an address that is not a loopback one is refused unless this is true.
  bool plain_anywhere = false;
  // The proxies whose PROXY header and X-Forwarded-For are believed: "10.0.0.0/8", "192.0.2.7",
  // "::1", "unix".
  std::vector<std::string> trusted_proxies = {};
  // Trusted proxies begin each connection with a PROXY header (version 1 or 2), and nobody but them
  // may connect.
  bool proxy_protocol = false;
};

struct Options {
  std::vector<Listener> listeners;
  std::size_t workers = 2;

  std::size_t max_header_bytes = 64UL * 1024;
  std::size_t max_body_bytes = 32UL * 1024 * 1024;
  // All requests together may hold this much memory; a request beyond it is answered 503. One owner
  // (Admission) has a quarter of it.
  std::size_t max_buffered_bytes = 256UL * 1024 * 1024;
  // The part of max_buffered_bytes that is for requests of unknown clients, and how large the body
  // of such a request may be.
  std::size_t max_unknown_bytes = 8UL * 1024 * 1024;
  std::size_t max_unknown_body_bytes = 64UL * 1024;

  // A connection beyond one of these numbers is closed at once. A connection through a trusted
  // proxy counts for the address that its PROXY header names.
  std::size_t max_connections = 10'000;
  std::size_t max_connections_per_address = 1'000;
  std::size_t max_parked = 256;  // requests parked at a time

  std::chrono::milliseconds handshake_timeout{5'000};  // PROXY header and TLS
  std::chrono::milliseconds header_timeout{10'000};    // also for a connection's first byte
  // The time to receive a body or to send answers; each second's worth of bytes at min_rate adds a
  // second.
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds send_timeout{30'000};
  std::size_t min_rate = 8UL * 1024;  // bytes per second
  // The time to receive the body of an unknown client, however much of it has come.
  std::chrono::milliseconds unknown_body_timeout{10'000};
  std::chrono::milliseconds idle_timeout{75'000};
  // The time for a parked request to be answered; after it the client is told so with a 503.
  std::chrono::milliseconds parked_timeout{90'000};
  // The time that a worker works before it looks at its sockets again.
  std::chrono::milliseconds turn{1};
  // The time that a complete request may wait for its turn; after it the request is answered 503.
  std::chrono::milliseconds queue_timeout{1'000};
};

}  // namespace coffer::http
