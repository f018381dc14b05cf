#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "coffer/base/logger.h"
#include "coffer/base/result.h"
#include "coffer/base/stall_watch.h"
#include "coffer/http/handler.h"
#include "coffer/http/message.h"
#include "coffer/http/options.h"

namespace coffer::http {

// How busy a server is. A value.
struct ServerCounts {
  std::size_t open = 0;             // connections
  std::uint64_t accepted = 0;       // since the start
  std::uint64_t turned_away = 0;    // closed at once: no room, or not a trusted proxy
  std::size_t parked = 0;           // requests that wait for the custodian
  std::size_t buffered_octets = 0;  // of large buffers
};

// HTTP/1.1 on Pistache's reactor and transports, with framing of our own (RFC 9112, strict: see
// docs/adr). A request that can be read in two ways is answered 400 and the connection closed. LIST
// and SCAN are methods. Answers leave on the thread of their connection, in order; pipelined
// requests are all answered.
class Server {
 public:
  // Binds all listeners, then serves. kConflict "address X is already in use: ...", kInvalid for an
  // address that is none, for certificates that cannot be used, for plain HTTP where it must not
  // be.
  static Result<std::unique_ptr<Server>> Start(const Options& options, Handler& handler,
                                               Logger& logger);
  // Start's refusals of one listener, but for an address that somebody listens on: files are read,
  // nothing is bound.
  static Status Check(const Listener& listener);
  // Start's refusals of one listener: binds its address and lets it go again.
  static Status TryListen(const Listener& listener);
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
  // Reads and checks certificates, keys, authorities and revocation lists again, of all listeners,
  // and changes nothing: they are used for connections to come once the result is called, which
  // cannot fail. Open connections keep theirs. Any thread; the result not after the server's end.
  using TlsSwitch = std::function<void()>;
  Result<TlsSwitch> ReadTls() const;
  // A stalled worker gets no new connections, and the sockets it has are shut down from outside, so
  // that its clients learn at once that nobody will answer. Any thread.
  void SetWorkerStalled(std::size_t worker, bool stalled);
  // Since when each worker is at what one connection wants. Any thread; they outlive the server.
  std::vector<std::shared_ptr<const WorkClock>> Work() const;
  // Any thread.
  ServerCounts Counts() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::http
