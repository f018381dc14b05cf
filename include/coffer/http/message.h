#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"

namespace coffer::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kList, kScan };

std::string_view MethodName(Method method);

// Who is at the other end of a Unix socket, as the kernel says.
struct UnixCredentials {
  std::int64_t pid = 0;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
};

// How a TLS connection was agreed on.
struct TlsFacts {
  std::string protocol;  // "TLSv1.3"
  std::string cipher;
  // The client's verified certificates, DER, its own first and the trusted one last; empty where it
  // sent none.
  std::vector<Bytes> client_chain;
};

// Whose memory a request takes: one known client's, for which any other number may stand, or that
// of all together who are not known.
using Owner = std::uint64_t;
inline constexpr Owner kUnknownOwner = 0;

class Parking;

// Counts the memory that a handler needs for a request beside its buffers. One thread at a time.
class Memory {
 public:
  virtual ~Memory() = default;
  // Whose it is, once the handler knows: what was counted counts as his from then on.
  virtual void SetOwner(Owner owner) = 0;
  // Counts so many bytes more until the request is answered. kUnavailable, naming the limit, where
  // there is no room for them.
  virtual Status Take(std::size_t bytes) = 0;
};

// One complete request. Views are valid during Handle() only; the buffers behind them are wiped
// afterwards.
struct Request {
  Method method = Method::kGet;
  // Percent-decoded once, starts with '/', no "//" (collapsed), no "." or ".." segment, no control
  // octet, valid UTF-8.
  std::string path;
  // Decoded pairs in order of appearance ('+' is a blank in queries).
  std::vector<std::pair<std::string, std::string>> query;
  // Names in lower case.
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string_view body;  // as it was sent, but for the framing of chunks
  // As they were sent, for what is signed: the target, and the whole head with its blank line.
  std::string_view target;
  std::string_view head;
  // The client's: "127.0.0.1", "::1"; "@" for a Unix socket. Where a trusted proxy names another
  // (PROXY header, X-Forwarded-For), that one, and a port of 0 where it is not named.
  std::string_view remote_address;
  std::uint16_t remote_port = 0;
  std::size_t listener = 0;                      // the place in Options::listeners that it came by
  const TlsFacts* tls = nullptr;                 // null: plain
  const UnixCredentials* unix_client = nullptr;  // null: not by a Unix socket
  // Index of the worker thread that serves this connection, below Options::workers.
  std::size_t worker = 0;
  std::chrono::steady_clock::time_point received{};  // when it was complete
  Parking* parking = nullptr;                        // null where the request cannot be parked
  Memory* memory = nullptr;                          // null where nobody counts

  // The header's value, or an empty view; `name` in lower case.
  std::string_view Header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";  // a literal; unused where the body is empty
  std::vector<std::pair<std::string, std::string>> headers;
  bool wipe = false;            // the body holds a secret: overwrite it once it is sent
  Owner owner = kUnknownOwner;  // whose memory it takes until it is sent
};

}  // namespace coffer::http
