#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "coffer/base/logger.h"
#include "coffer/http/server.h"
#include "http/connection.h"

namespace coffer::http {

// The worker threads: Pistache's asynchronous reactor, one handler and one set of connections for
// each thread.
class Workers {
 public:
  Workers(const Options& options, Handler& handler, Logger& logger);
  ~Workers();  // stops the threads; every connection is closed

  // Hands the connection to the next worker in turn that is not stalled. Any thread.
  void Take(Connection::Peer peer);
  // From now on every answer closes its connection, and idle ones are closed.
  void Drain();
  // Any thread.
  void SetStalled(std::size_t worker, bool stalled);
  std::size_t Connections() const { return connections_->load(); }

 private:
  struct Reactor;
  std::shared_ptr<std::atomic<std::size_t>> connections_;
  std::unique_ptr<Reactor> reactor_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace coffer::http
