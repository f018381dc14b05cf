// The half of a connection that makes requests of its input, and output of the responses.

#include <poll.h>

#include <algorithm>
#include <utility>

#include "coffer/base/secret_bytes.h"
#include "http/connection.h"
#include "http/parking.h"
#include "http/response_text.h"

namespace coffer::http {
namespace {

// The bytes of answers that may wait to be sent before the next request is looked at.
constexpr std::size_t kMaxUnsent = 256UL * 1024;

}  // namespace

bool Connection::ClientLeft() const {
  pollfd end{Fd(), POLLRDHUP, 0};
  return ::poll(&end, 1, 0) == 1;
}

Connection::Next Connection::Serve(const Context& context) {
  pending_ = input_;
  // A client that ended its side together with its request still waits for the answer. A client
  // that ended its side and also waited for long has given up, and may ask again: the time is
  // better spent on those who still wait.
  if (context.overload.Long(Arrived(), Steady::now()) && ClientLeft()) {
    Report(context, 503, "client left before its turn");
    return Next::kClose;
  }
  do {
    AnswerOne(context);
    Frame(context);
    // The answers to many requests of one client are sent with one call, unless other clients wait.
  } while (HasRequest() && !context.more_at_hand && since_ < context.turn_end);
  return Settle(Send(), context);
}

void Connection::Frame(const Context& context) {
  if (complete_ || close_after_send_ || HasParked() || pending_.empty()) return;
  const bool had_head = framer_.HeadComplete();
  const RequestFramer::State state = framer_.Advance(pending_);
  if (state == RequestFramer::State::kError) {
    Refuse(context, framer_.Error());
    return;
  }
  if (framer_.KnownSize() > MemoryBudget::kFree && !Admit(context)) return;
  complete_ = state == RequestFramer::State::kComplete;
  if (complete_) return;
  if (!had_head && framer_.HeadComplete()) since_ = Steady::now();
  if (framer_.TakeContinue()) {
    BeginSending();
    output_ += "HTTP/1.1 100 Continue\r\n\r\n";
  }
}

bool Connection::HasRequest() const {
  return complete_ && !close_after_send_ && !HasParked() && Unsent() <= kMaxUnsent;
}

bool Connection::Admit(const Context& context) {
  if (!framer_.HeadComplete()) return AskRoom(context);
  if (!admitted_) {
    if (!FillHead(context)) return false;
    const Admission decided = context.handler.Admit(context.request);
    admitted_ = true;
    owner_ = decided.owner;
    std::size_t limit = decided.max_body_bytes;
    if (owner_ == kUnknownOwner) limit = std::min(limit, context.options.max_unknown_body_bytes);
    FrameError too_large{decided.too_large_status, decided.too_large};
    if (too_large.status == 413) {
      too_large.limit = limit;
      too_large.unit = "bytes";
    }
    if (!framer_.LimitBody(limit, too_large)) {
      Refuse(context, framer_.Error());
      return false;
    }
  }
  return AskRoom(context);
}

bool Connection::AskRoom(const Context& context) {
  const std::size_t bytes = std::max(framer_.KnownSize(), pending_.size()) +
                            framer_.DecodedBodyCapacity() + (WantsWrite() ? output_.capacity() : 0);
  if (share_.Ask(owner_, bytes)) return true;
  const MemoryBudget::Limit& met = share_.Met();
  Refuse(context, {503, "too many large requests at once, try again", met.bytes, met.unit});
  return false;
}

bool Connection::FillHead(const Context& context) {
  Request& request = context.request;
  if (!framer_.FillHead(pending_, request)) {
    Refuse(context, framer_.Error());
    return false;
  }
  if (!NameClient(request)) {
    Refuse(context, {400, "malformed X-Forwarded-For"});
    return false;
  }
  return true;
}

bool Connection::NameClient(Request& request) {
  request.remote_address = peer_.address;
  request.remote_port = peer_.port;
  request.listener = peer_.terms->Index();
  request.tls = tls_facts_.get();
  request.unix_client = peer_.unix_client ? &*peer_.unix_client : nullptr;
  const AddressSet& trusted = peer_.terms->Trusted();
  if (trusted.empty() || !trusted.Contains(peer_.address)) return true;
  std::string header;
  for (const auto& [name, value] : request.headers) {
    if (name != "x-forwarded-for") continue;
    if (!header.empty()) header += ',';
    header += value;
  }
  if (header.empty()) return true;
  forwarded_address_ = ForwardedClient(header, trusted);
  request.remote_address = forwarded_address_;
  request.remote_port = 0;
  return !forwarded_address_.empty();
}

void Connection::AnswerOne(const Context& context) {
  Request& request = context.request;
  if (!FillHead(context)) return;
  request.body = framer_.Body(pending_);
  request.worker = context.worker;
  const std::size_t used = framer_.Consumed();
  Response response;
  request.received = Arrived();
  if (context.overload.TooLate(request.received, Steady::now())) {
    constexpr std::string_view kOverloaded = "server is overloaded, try again";
    Report(context, 503, kOverloaded);
    const auto bound = static_cast<std::uint64_t>(context.options.queue_timeout.count());
    response = ErrorResponse({503, kOverloaded, bound, "ms of waiting"}, context.handler);
  } else {
    RequestParking parking(context.place, pending_.substr(0, used), framer_, request, tls_facts_,
                           share_);
    request.parking = &parking;
    request.memory = &share_;
    context.handler.Handle(request, response);
    request.parking = nullptr;
    request.memory = nullptr;
    parked_ = parking.Ticket();
  }
  const bool head_only = request.method == Method::kHead;
  if (HasParked()) {
    parked_head_only_ = head_only;
    parked_then_close_ = !framer_.KeepAlive();
  } else {
    // While the server stops, the answer to the last request that has arrived tells the client to
    // go elsewhere.
    const bool last = context.draining && pending_.size() == used;
    close_after_send_ = !framer_.KeepAlive() || last;
    linger_ = last;
    owner_ = response.owner;
    Append(context, response, head_only);
  }
  framer_.Reset();
  complete_ = false;
  admitted_ = false;
  pending_.remove_prefix(used);
  used_ = true;
  received_ = pending_.size();
  forwarded_address_.clear();
  since_ = Steady::now();
}

void Connection::StopWaiting(const Context& context) {
  // Work that has begun is still recorded in the trail, but its answer is dropped.
  using Rest = ParkingTicket::Rest;
  const Rest rest = parked_->Leave();
  parked_.reset();
  LiteralText told = "request waited too long and was not done: try again";
  if (rest == Rest::kIsGivenUp) told = "request took too long and was given up";
  if (rest == Rest::kGoesOn) told = "request takes too long: it goes on, look whether it was done";
  context.logger.Log(LogLevel::kWarn, "http", "a client was told not to wait for its request",
                     {{"client", peer_.address}, {"told", told}});
  BeginSending();
  AppendResponse(ErrorResponse({503, told}, context.handler), context.date.Now(), parked_head_only_,
                 true, output_);
  close_after_send_ = true;
  linger_ = true;
}

void Connection::BeginSending() {
  if (!WantsWrite()) sending_since_ = Steady::now();
}

void Connection::Append(const Context& context, Response& response, bool head_only) {
  BeginSending();
  AppendResponse(response, context.date.Now(), head_only, close_after_send_, output_);
  wipe_output_ = wipe_output_ || response.wipe;
  WipeBody(response);
}

void Connection::Report(const Context& context, int status, LiteralText reason) {
  Refusal refusal;
  refusal.status = status;
  refusal.reason = reason;
  refusal.target = framer_.TargetText(pending_);
  const bool forwarded = !forwarded_address_.empty();
  refusal.remote_address = forwarded ? forwarded_address_ : peer_.address;
  refusal.remote_port = forwarded ? std::uint16_t{0} : peer_.port;
  context.handler.OnRefused(refusal);
}

void Connection::Refuse(const Context& context, const FrameError& error) {
  Report(context, error.status, error.text);
  BeginSending();
  AppendResponse(ErrorResponse(error, context.handler), context.date.Now(), false, true, output_);
  close_after_send_ = true;
  linger_ = true;
  framer_.Reset();
  complete_ = false;
  admitted_ = false;
  pending_ = {};
}

}  // namespace coffer::http
