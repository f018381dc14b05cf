#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "coffer/http/message.h"
#include "http/peer.h"

namespace coffer::http {

// Brings work to a worker: connections to serve, answers to parked requests, which name their
// connection by its number, and the slices of long work. It is shared, because a parked request may
// outlive its worker. It also keeps a register of the worker's open sockets, so that they can be
// shut down while the worker hangs. Any thread, except where said.
class Mailbox {
 public:
  struct ParkedAnswer {
    std::uint64_t connection = 0;
    Response response;
  };
  struct Delivery {
    std::vector<Peer> peers;
    std::vector<ParkedAnswer> answers;
    std::function<void()> work;  // one slice; the next ones wait for another round
  };

  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // A descriptor that is readable while something may be waiting.
  int WakeFd() const { return wake_; }
  void Wake() const;

  void Put(Peer peer);
  // Wipes the response if the worker is gone.
  void Put(std::uint64_t connection, Response response);
  void Put(std::function<void()> work);
  // Takes everything that waits, but only the first slice of work; the peers' sockets enter the
  // register. The worker's own thread.
  Delivery Take();
  // Removes a socket from the register, before it is closed. The worker's own thread.
  void Forget(int fd);
  // Ends the mailbox with its worker: waiting connections are closed, waiting answers are wiped,
  // and so is everything that comes later.
  void Close();

  // Shuts down every registered socket; returns the peers that nobody had taken yet.
  std::vector<Peer> Stall();
  void Resume();
  bool Stalled() const;

 private:
  const int wake_;
  mutable std::mutex mutex_;
  // Protected by mutex_.
  Delivery waiting_;  // without work
  std::deque<std::function<void()>> work_;
  std::unordered_set<int> sockets_;
  bool stalled_ = false;
  bool closed_ = false;
};

}  // namespace coffer::http
