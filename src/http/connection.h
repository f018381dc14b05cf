#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/logger.h"
#include "coffer/http/handler.h"
#include "coffer/http/options.h"
#include "http/framing.h"
#include "http/memory_budget.h"
#include "http/overload.h"
#include "http/peer.h"
#include "http/response_text.h"
#include "http/stream.h"

namespace coffer::http {

struct ParkingPlace;
class ParkingTicket;

// A worker's buffer, into which it reads before it is known whether a connection must keep any of
// the bytes.
struct Scratch {
  std::vector<char> octets = std::vector<char>(64UL * 1024);
  std::size_t used = 0;
};

// One accepted connection: its socket, the bytes that were read and not yet used, and the answers
// that are not yet sent. It belongs to one worker thread. Nothing finds a connection by its file
// descriptor's number, which the kernel uses again, so a late answer cannot reach a new client.
class Connection {
 public:
  using Steady = std::chrono::steady_clock;

  // The things that a worker lends to a connection for one call.
  struct Context {
    const Options& options;
    Handler& handler;
    Logger& logger;
    std::size_t worker;
    bool more_at_hand;            // requests of other connections wait until this one is done
    Steady::time_point turn_end;  // the time when the worker turns to other connections
    Request& request;             // reused from one request to the next
    Scratch& scratch;
    const bool& draining;  // answer what has arrived, then close
    const ParkingPlace& place;
    const OverloadGuard& overload;
    const std::shared_ptr<MemoryBudget>& budget;
    ConnectionLimits& limits;
    Steady::time_point& last_report;  // the last report of a failed handshake
    DateLine& date;
  };

  Connection(Peer peer, const Context& context);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Next { kKeep, kClose };
  // Goes on with the handshake, or reads the bytes that have come. If a request is parked, the call
  // means that the client has ended its side or that the socket is broken.
  Next OnReadable(const Context& context);
  // Goes on sending.
  Next OnWritable(const Context& context);
  // Takes the answer to the request that was parked. It is wiped if nobody waits for it any more.
  Next OnParkedAnswer(const Context& context, Response& response);
  // True if a complete request waits for its turn: then only Serve() may be called next.
  bool HasRequest() const;
  // True if OnReadable() and OnWritable() may take as long as a request does, because they go on
  // with the handshake.
  bool InHandshake() const { return stage_ == Stage::kHandshake; }
  // Answers the complete request, and further ones unless other connections wait.
  Next Serve(const Context& context);
  // Closes a connection that has used up its time, and an idle one if the server is stopping.
  Next OnTick(Steady::time_point now, const Context& context);

  // The events of the socket that the connection waits for. It reads nothing while the client has
  // yet to take an answer, or while a request is parked; in the second case it still waits for the
  // client's end (kEnd).
  enum class Interest { kRead, kWrite, kEnd, kWriteOrEnd };
  Interest Wants() const;
  // True if no request is in progress.
  bool Idle() const { return input_.empty() && !WantsWrite() && !HasParked(); }
  int Fd() const { return peer_.socket.Fd(); }

 private:
  enum class Stage { kProxyHeader, kHandshake, kServing, kLingering };

  bool WantsWrite() const { return sent_ < output_.size(); }
  bool HasParked() const { return parked_ != nullptr; }
  std::size_t Unsent() const { return output_.size() - sent_; }

  // connection.cc
  void BeginStream();
  Next Open(const Context& context);
  bool SpeaksPlainHttp();
  Next ReadProxyHeader(const Context& context);
  void ReportFailedHandshake(const Context& context);
  Next Receive(const Context& context);
  Next FrameAndSend(const Context& context);
  Next Send();
  // Ends the sending half, and for a while reads and drops what the client still sends: closing
  // with unread bytes would reset the connection, and the reset can overtake our answer.
  Next Linger();
  Next Discard();
  bool Overdue(Steady::time_point now, const Options& options) const;
  FrameError TooSlow(const Options& options) const;
  // Ends each call that read or answered: keeps the rest of the input, wipes what was used, and
  // counts the memory that is held. kClose also if nothing more will come or go.
  Next Settle(Next next, const Context& context);
  bool NoteRoom();

  // Reads the input as far as one request, and answers with an error if it can never become one.
  void Frame(const Context& context);
  // The time when the present request's last byte came, or when the answer to the one before it
  // left, whichever was later.
  Steady::time_point Arrived() const { return std::max(since_, progressed_); }
  bool ClientLeft() const;
  void AnswerOne(const Context& context);
  // Has the handler decide on whose account a larger request counts, and counts its memory. False
  // if it is refused.
  bool Admit(const Context& context);
  bool AskRoom(const Context& context);
  bool FillHead(const Context& context);
  // False if a trusted proxy's X-Forwarded-For cannot be read.
  bool NameClient(Request& request);
  // Tells the client of a parked request that the server has stopped waiting for its answer.
  void StopWaiting(const Context& context);
  void BeginSending();
  void Append(const Context& context, Response& response, bool head_only);
  void Report(const Context& context, int status, LiteralText reason);
  void Refuse(const Context& context, const FrameError& error);

  Peer peer_;
  std::unique_ptr<Stream> stream_;
  std::shared_ptr<const TlsFacts> tls_facts_;
  Stage stage_ = Stage::kServing;
  bool greeted_ = false;           // the first byte of a TLS client came
  bool blocked_on_write_ = false;  // reading or the handshake waits for room to write
  std::string opening_;            // the PROXY header as far as it has come

  RequestFramer framer_;
  std::string input_;
  std::string_view pending_;  // during a call: the input that is not used yet
  std::string output_;
  std::size_t sent_ = 0;
  MemoryBudget::Share share_;
  // The owner on whose account the request and the answers before it are counted.
  Owner owner_ = kUnknownOwner;
  bool complete_ = false;  // the present request is there
  bool admitted_ = false;  // the handler decided on the present request
  bool wipe_output_ = false;
  bool close_after_send_ = false;
  bool linger_ = false;  // the client may still be sending when we close
  bool input_ended_ = false;
  bool used_ = false;  // a first request came
  std::shared_ptr<ParkingTicket> parked_;
  bool parked_head_only_ = false;
  bool parked_then_close_ = false;
  std::string forwarded_address_;
  Steady::time_point since_;  // the present state began: opening, idle, a head, a body, lingering
  Steady::time_point sending_since_;
  Steady::time_point progressed_;  // bytes of a body came in, or of an answer went out
  std::size_t received_ = 0;       // bytes of the present request
};

}  // namespace coffer::http
