#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "coffer/http/server.h"
#include "http/framing.h"

namespace coffer::http {

// One accepted connection: its socket, what was read and not yet used, what was answered and not
// yet sent. Belongs to one worker thread; nothing of it is ever reached by its file descriptor's
// number, so a late answer cannot meet a new client.
class Connection {
 public:
  using Steady = std::chrono::steady_clock;

  struct Peer {
    int fd = -1;
    std::string address;
    std::uint16_t port = 0;
  };
  // What a worker lends to its connections for one call.
  struct Context {
    const Options& options;
    Handler& handler;
    std::size_t worker;
    Request& request;      // reused from one request to the next
    const bool& draining;  // answer, then close
  };

  Connection(Peer peer, const Options& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Next { kKeep, kClose };
  // Reads what there is, answers every complete request in order, sends.
  Next OnReadable(const Context& context);
  // Goes on sending, and answering what waited for room.
  Next OnWritable(const Context& context);
  // Closes a connection that is beyond its header, body or idle time, or stuck in sending.
  Next OnTick(Steady::time_point now, const Options& options);

  bool WantsWrite() const { return sent_ < output_.size(); }
  bool Idle() const { return input_.empty() && !WantsWrite(); }
  int Fd() const { return peer_.fd; }

 private:
  Next Receive();
  Next Answer(const Context& context);
  // True where requests are held back because too much is unsent.
  bool AnswerWhileRoom(const Context& context);
  void AnswerOne(const Context& context);
  void Refuse(const FrameError& error);
  Next Send();
  // Reads and forgets what a client sends that was refused.
  Next Discard();

  Peer peer_;
  RequestFramer framer_;
  std::string input_;
  std::string output_;
  std::size_t sent_ = 0;
  bool wipe_output_ = false;
  bool close_after_send_ = false;
  bool refused_ = false;
  bool lingering_ = false;  // answered, half-closed, waiting for the client to stop sending
  bool input_ended_ = false;
  Steady::time_point since_;  // of the present state: idle, reading a head, reading a body, sending
};

}  // namespace coffer::http
