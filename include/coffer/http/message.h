#pragma once

// The requests that a handler gets and the responses that it fills in. The worker thread that
// serves the connection owns a Request and lends it to Handle() for the call; the handler copies
// what it needs for longer, or parks the request (handler.h). Plain data: one thread at a time, no
// errors but those of Memory.

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

// The process at the other end of a Unix socket, as the kernel names it.
struct UnixCredentials {
  std::int64_t pid = 0;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
};

// The facts that a TLS handshake agreed on.
struct TlsFacts {
  std::string protocol;  // "TLSv1.3"
  std::string cipher;
  // The client's verified certificates as DER, its own first and the trusted one last; empty if it
  // sent none.
  std::vector<Bytes> client_chain;
};

// The client on whose account a request's memory is counted. Every number but kUnknownOwner stands
// for a known client; kUnknownOwner stands for all unknown clients together.
using Owner = std::uint64_t;
inline constexpr Owner kUnknownOwner = 0;

class Parking;

// Counts the memory that a handler needs for a request beside its buffers. One thread at a time.
class Memory {
 public:
  virtual ~Memory() = default;
  // Names the owner, once the handler knows it: all that was counted so far is counted as his from
  // then on.
  virtual void SetOwner(Owner owner) = 0;
  // Counts `bytes` more until the request is answered. kUnavailable, naming the limit, if there is
  // no room for them.
  virtual Status Take(std::size_t bytes) = 0;
};

// One complete request. Its views are valid during Handle() only; the buffers that they point into
// are wiped afterwards.
struct Request {
  Method method = Method::kGet;
  // The path, percent-decoded once: it starts with '/', has no "//" (collapsed), no "." or ".."
  // segment and no control byte, and is valid UTF-8.
  std::string path;
  // The query's decoded pairs in the order of their appearance ('+' stands for a blank).
  std::vector<std::pair<std::string, std::string>> query;
  // The header fields; their names are in lower case.
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string_view body;  // as it was sent, but for the framing of chunks
  // The target, and the whole head with its blank line, as they were sent: for handlers that check
  // a signature over them.
  std::string_view target;
  std::string_view head;
  // The client's address: "127.0.0.1", "::1"; "@" for a Unix socket. If a trusted proxy names
  // another address (PROXY header, X-Forwarded-For), it is that one, with port 0 unless the proxy
  // names the port, too.
  std::string_view remote_address;
  std::uint16_t remote_port = 0;
  std::size_t listener = 0;                      // the place in Options::listeners that it came by
  const TlsFacts* tls = nullptr;                 // null: plain
  const UnixCredentials* unix_client = nullptr;  // null: not by a Unix socket
  // The index of the worker thread that serves this connection, below Options::workers.
  std::size_t worker = 0;
  std::chrono::steady_clock::time_point received{};  // when it was complete
  Parking* parking = nullptr;                        // null where the request cannot be parked
  Memory* memory = nullptr;                          // null where nobody counts

  // Returns the header's value, or an empty view; `name` is in lower case.
  std::string_view Header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";  // a literal; unused where the body is empty
  std::vector<std::pair<std::string, std::string>> headers;
  bool wipe = false;            // the body holds a secret: overwrite it once it is sent
  Owner owner = kUnknownOwner;  // the client on whose account its memory counts until it is sent
};

}  // namespace coffer::http
