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
// connection by its number, and the slices of long work. Shared, because a parked request may
// outlive its worker. Also the register of the worker's open sockets, so that they can be shut down
// while the worker hangs. Any thread, except where said.
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

  // Readable while something may be waiting.
  int WakeFd() const { return wake_; }
  void Wake() const;

  void Put(Peer peer);
  // Wiped where the worker is gone.
  void Put(std::uint64_t connection, Response response);
  void Put(std::function<void()> work);
  // The worker's own thread: everything that waits, but of the work the first; the peers' sockets
  // are in the register.
  Delivery Take();
  // The worker's own thread, before it closes the socket.
  void Forget(int fd);
  // The worker's end: what waits is closed and wiped, what comes later too.
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
