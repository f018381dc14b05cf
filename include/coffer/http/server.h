#pragma once

// The front door: a server that listens, reads requests and sends answers. The program's wiring
// owns one for the API and one for the health listener; each must be destroyed before its handler
// and its logger. Start() makes the worker threads; a worker must call neither Drain() nor the
// destructor, and every other call may come from any thread. Faults of the configuration are errors
// of Start(), kInvalid or kConflict; faults of a client are answered to the client and counted,
// never returned here.
// Example: `auto server = Server::Start(options, handler, logger);`, later `(*server)->Drain(10s);`
// and destroy it.

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
  std::size_t buffered_octets = 0;  // bytes in large buffers
};

// HTTP/1.1 on Pistache's reactor and transports, with framing of our own (RFC 9112, strict:
// docs/adr/0002-http-framing.md). A request that can be read in two ways is answered 400 and its
// connection closed. LIST and SCAN are methods, too. Answers leave on the thread of their
// connection, in order; pipelined requests are all answered.
class Server {
 public:
  // Binds all listeners, then serves. kConflict "address X is already in use: ..."; kInvalid for a
  // text that is no address, for certificates that cannot be used, and for plain HTTP on an address
  // where it is not allowed.
  static Result<std::unique_ptr<Server>> Start(const Options& options, Handler& handler,
                                               Logger& logger);
  // Returns the error that Start() would have for this listener, except that the address is in use:
  // it reads files and binds nothing.
  static Status Check(const Listener& listener);
  // Returns the error that Start() would have for this listener: it binds the address and lets it
  // go again.
  static Status TryListen(const Listener& listener);
  // Stops at once and closes every connection.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The addresses in use with their ports, in the order of Options::listeners.
  const std::vector<std::string>& Addresses() const;
  // Stops accepting, lets requests in progress finish (`Connection: close` on their answers) and
  // closes idle connections; returns when all are closed or the deadline has passed. Any thread but
  // a worker.
  void Drain(std::chrono::milliseconds deadline);
  // Reads and checks the certificates, keys, authorities and revocation lists of all listeners
  // again and changes nothing. Calling the result, which cannot fail, makes new connections use
  // them; open connections keep the former ones. Any thread; the result must not be called after
  // the server's end.
  using TlsSwitch = std::function<void()>;
  Result<TlsSwitch> ReadTls() const;
  // Tells that a worker hangs, or no longer does. A stalled worker gets no new connections, and its
  // sockets are shut down from outside, so that its clients learn at once that nobody will answer.
  // Any thread.
  void SetWorkerStalled(std::size_t worker, bool stalled);
  // One clock for each worker: it tells since when the worker has been at work for one connection.
  // Any thread; the clocks may outlive the server.
  std::vector<std::shared_ptr<const WorkClock>> Work() const;
  // How busy the server is now. Any thread.
  ServerCounts Counts() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::http
