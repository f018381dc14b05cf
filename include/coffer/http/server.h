#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coffer/base/bytes.h"
#include "coffer/base/logger.h"
#include "coffer/base/result.h"

namespace coffer::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kList, kScan };

std::string_view MethodName(Method method);

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
  std::string_view body;
  std::string_view remote_address;  // "127.0.0.1"; "@" for a Unix socket
  std::uint16_t remote_port = 0;
  std::size_t worker =
      0;  // index of the worker thread that serves this connection, below Options::workers

  // The header's value, or an empty view; `name` in lower case.
  std::string_view Header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";  // a literal; unused where the body is empty
  std::vector<std::pair<std::string, std::string>> headers;
  bool wipe = false;  // the body holds a secret: overwrite it once it is sent
};

// Answers requests, each on the worker thread of its connection; called by several workers at once.
// Must not throw.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void Handle(const Request& request, Response& response) = 0;
};

// A place to listen. TLS is a property of a listener and comes with the hostile-network work.
struct Listener {
  enum class Kind { kTcp, kUnix };
  Kind kind = Kind::kTcp;
  std::string address;   // "127.0.0.1:8200", "[::1]:0" (port 0: any), or the socket's path
  unsigned mode = 0600;  // of a Unix socket
};

struct Options {
  std::vector<Listener> listeners;
  std::size_t workers = 2;
  std::size_t max_header_bytes = 64UL * 1024;
  std::size_t max_body_bytes = 32UL * 1024 * 1024;
  std::size_t max_connections = 10'000;
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{75'000};
};

// HTTP/1.1 on Pistache's reactor and transports, with framing of our own (RFC 9112, strict: see
// docs/adr). A request that can be read in two ways is answered 400 and the connection closed. LIST
// and SCAN are methods. Answers leave on the thread of their connection, in order; pipelined
// requests are all answered.
class Server {
 public:
  // Binds all listeners, then serves. kConflict "address X is already in use: ...", kInvalid for an
  // address that is none.
  static Result<std::unique_ptr<Server>> Start(const Options& options, Handler& handler,
                                               Logger& logger);
  // Stops at once, closing what is open.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The addresses in use, ports filled in, in the order of Options::listeners.
  const std::vector<std::string>& Addresses() const;
  // Stops accepting, lets requests in progress finish (`Connection: close` on their answers),
  // closes idle connections; returns when all are closed or at the deadline. Call from any thread
  // but a worker.
  void Drain(std::chrono::milliseconds deadline);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::http
