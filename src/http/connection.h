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

// Where a worker reads into before it is known whether anything must be kept.
struct Scratch {
  std::vector<char> octets = std::vector<char>(64UL * 1024);
  std::size_t used = 0;
};

// One accepted connection: its socket, what was read and not yet used, what was answered and not
// yet sent. Belongs to one worker thread; nothing of it is ever reached by its file descriptor's
// number, so a late answer cannot meet a new client.
class Connection {
 public:
  using Steady = std::chrono::steady_clock;

  // What a worker lends to its connections for one call.
  struct Context {
    const Options& options;
    Handler& handler;
    Logger& logger;
    std::size_t worker;
    bool more_at_hand;            // requests of other connections wait behind this one
    Steady::time_point turn_end;  // others are looked at then
    Request& request;             // reused from one request to the next
    Scratch& scratch;
    const bool& draining;  // answer what has arrived, then close
    const ParkingPlace& place;
    const OverloadGuard& overload;
    const std::shared_ptr<MemoryBudget>& budget;
    ConnectionLimits& limits;
    Steady::time_point& last_report;  // of a failed handshake
    DateLine& date;
  };

  Connection(Peer peer, const Context& context);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Next { kKeep, kClose };
  // Goes on with the handshake, or reads what there is. While a request is parked: its client has
  // ended its side, or the socket is broken.
  Next OnReadable(const Context& context);
  // Goes on sending.
  Next OnWritable(const Context& context);
  // The answer to the request that was parked. Wiped where nobody waits for it any more.
  Next OnParkedAnswer(const Context& context, Response& response);
  // A complete request waits for its turn: nothing else happens to the connection before Serve().
  bool HasRequest() const;
  // OnReadable() and OnWritable() have work to do that takes as long as a request.
  bool InHandshake() const { return stage_ == Stage::kHandshake; }
  // Answers it, and more of them where nobody else waits.
  Next Serve(const Context& context);
  // Closes a connection that is beyond its time, and an idle one where the server stops.
  Next OnTick(Steady::time_point now, const Context& context);

  // Nothing is read while an answer waits for its reader, or a parked request for its answer; the
  // end of who waits for a parked one is looked for.
  enum class Interest { kRead, kWrite, kEnd, kWriteOrEnd };
  Interest Wants() const;
  // No request is in progress.
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
  // Half-closes, and reads and forgets for a while what the client still sends: closing with octets
  // unread would reset the connection, and the reset can overtake our answer.
  Next Linger();
  Next Discard();
  bool Overdue(Steady::time_point now, const Options& options) const;
  FrameError TooSlow(const Options& options) const;
  // The end of a call that answered: keeps what is left of the input, wipes what was read, and
  // counts what is held. kClose, too, where nothing more will come or go.
  Next Settle(Next next, const Context& context);
  bool NoteRoom();

  // connection_answer.cc
  // Looks whether what came is a request, and refuses what never will be.
  void Frame(const Context& context);
  // The present request's last byte came then, or the answer to the one before it left.
  Steady::time_point Arrived() const { return std::max(since_, progressed_); }
  bool ClientLeft() const;
  void AnswerOne(const Context& context);
  // Has the handler decide whose a larger request is, and counts what it takes. False where it is
  // refused.
  bool Admit(const Context& context);
  bool AskRoom(const Context& context);
  bool FillHead(const Context& context);
  // False where a trusted proxy's X-Forwarded-For cannot be read.
  bool NameClient(Request& request);
  // Tells the client of a parked request that it is not waited for any longer.
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
  std::string opening_;            // of the PROXY header

  RequestFramer framer_;
  std::string input_;
  std::string_view pending_;  // during a call: what is not used yet, of input_ or of the scratch
  std::string output_;
  std::size_t sent_ = 0;
  MemoryBudget::Share share_;
  // Whose memory the request and the answers before it take.
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
  Steady::time_point since_;  // of the present state: opening, idle, a head, a body, lingering
  Steady::time_point sending_since_;
  Steady::time_point progressed_;  // octets of a body came in, or of an answer went out
  std::size_t received_ = 0;       // of the present request
};

}  // namespace coffer::http
