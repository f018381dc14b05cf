#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "coffer/base/logger.h"
#include "coffer/base/stall_watch.h"
#include "coffer/http/handler.h"
#include "coffer/http/options.h"
#include "http/connection_limits.h"
#include "http/peer.h"

namespace coffer::http {

// The worker threads. They run on Pistache's asynchronous reactor; each thread has one of
// Pistache's handlers and one set of connections.
class Workers {
 public:
  Workers(const Options& options, Handler& handler, std::shared_ptr<ConnectionLimits> limits,
          Logger& logger);
  ~Workers();  // stops the threads; every connection is closed

  // Hands the connection to the next worker in turn that is not stalled. Any thread.
  void Take(Peer peer);
  // From now on every answer closes its connection, and idle ones are closed.
  void Drain();
  // Any thread.
  void SetStalled(std::size_t worker, bool stalled);
  std::vector<std::shared_ptr<const WorkClock>> Work() const;
  std::size_t Parked() const;
  std::size_t BufferedOctets() const;

 private:
  struct Reactor;
  std::unique_ptr<Reactor> reactor_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace coffer::http
