#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "coffer/http/server.h"
#include "http/framing.h"

namespace coffer::http {

struct ParkingPlace;

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
    const ParkingPlace& place;
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
  // The answer to the request that was parked; then those that waited behind it.
  Next OnParkedAnswer(const Context& context, Response& response);
  // Closes a connection that is beyond its header, body or idle time, or stuck in sending.
  Next OnTick(Steady::time_point now, const Context& context);

  // Nothing is read while an answer waits for its reader, or a parked request for its answer.
  enum class Interest { kRead, kWrite, kNothing };
  Interest Wants() const;
  bool WantsWrite() const { return sent_ < output_.size(); }
  bool HasParked() const { return parked_ != nullptr; }
  bool Idle() const { return input_.empty() && !WantsWrite() && !HasParked(); }
  int Fd() const { return peer_.fd; }

 private:
  Next Receive();
  Next Answer(const Context& context);
  // True where requests are held back because too much is unsent.
  bool AnswerWhileRoom(const Context& context);
  void AnswerOne(const Context& context);
  void Append(Response& response, bool head_only);
  void Refuse(const Context& context, const FrameError& error);
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
  std::shared_ptr<std::atomic<bool>> parked_;  // tells the parked request that we are gone
  bool parked_head_only_ = false;
  bool parked_then_close_ = false;
  Steady::time_point since_;  // of the present state: idle, reading a head, reading a body, sending
};

}  // namespace coffer::http
