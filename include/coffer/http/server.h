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

class Parking;

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
  Parking* parking = nullptr;  // null where the request cannot be parked

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

// A request that waits for its answer away from its connection's thread, with buffers of its own,
// which are wiped with it. Later requests of the connection wait behind it. One thread at a time.
class Parked {
 public:
  // One that was never answered answers 500.
  virtual ~Parked() = default;
  // Valid as long as this is.
  virtual Request& Asked() = 0;
  // True once the client is known to be gone: the answer would be dropped. Any thread.
  virtual bool Abandoned() const = 0;
  // Once, from any thread. The answer is written by the connection's own thread, to this very
  // connection or, where it is gone, to nobody: then it is wiped.
  virtual void Answer(Response response) = 0;
};

// How a handler parks the request that it is handling.
class Parking {
 public:
  virtual ~Parking() = default;
  // A copy of the request, at most once; what Handle() leaves in its response is then ignored. Null
  // where too many are parked (Options::max_parked).
  virtual std::unique_ptr<Parked> Park() = 0;
};

// A request that never became one: malformed, too large, too slow. Views as in Request.
struct Refusal {
  int status = 400;
  std::string_view reason;  // a literal
  // As sent, unchecked and undecoded (visible ASCII only); empty where there was no request line.
  std::string_view method;
  std::string_view target;
  std::string_view remote_address;
  std::uint16_t remote_port = 0;
  std::size_t worker = 0;
};

// Answers requests, each on the worker thread of its connection; called by several workers at once.
// Must not throw.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void Handle(const Request& request, Response& response) = 0;
  // Before the client is told.
  virtual void OnRefused(const Refusal& refusal) { static_cast<void>(refusal); }
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
  std::size_t max_parked = 256;  // requests parked at a time
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
  // A stalled worker gets no new connections, and the sockets it has are shut down from outside, so
  // that its clients learn at once that nobody will answer. Any thread.
  void SetWorkerStalled(std::size_t worker, bool stalled);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::http
