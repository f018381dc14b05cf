// From octets to requests, and from responses to octets.

#include <utility>

#include "coffer/base/secret_bytes.h"
#include "http/connection.h"
#include "http/parking.h"
#include "http/response_text.h"

namespace coffer::http {
namespace {

// Answers that may wait before the next request is looked at.
constexpr std::size_t kMaxUnsent = 256UL * 1024;

}  // namespace

Connection::Next Connection::Answer(const Context& context) {
  // Requests held back for want of room are taken up again as soon as there is some: no further
  // octet from the client need ever tell us to.
  while (true) {
    const bool held = AnswerWhileRoom(context);
    if (Send() == Next::kClose) return Next::kClose;
    if (!held || WantsWrite() || close_after_send_) return Next::kKeep;
  }
}

bool Connection::AnswerWhileRoom(const Context& context) {
  const auto turn_end = Steady::now() + context.options.turn;
  while (!close_after_send_ && !HasParked() && !pending_.empty() && Unsent() <= kMaxUnsent) {
    const bool had_head = framer_.HeadComplete();
    const RequestFramer::State state = framer_.Advance(pending_);
    if (state == RequestFramer::State::kError) {
      Refuse(context, framer_.Error());
      return false;
    }
    if (state == RequestFramer::State::kNeedMore) {
      if (!had_head && framer_.HeadComplete()) since_ = Steady::now();
      if (framer_.TakeContinue()) {
        BeginSending();
        output_ += "HTTP/1.1 100 Continue\r\n\r\n";
      }
      if (held_ > 0 && context.budget.Exceeded()) {
        Refuse(context, {503, "too many large requests at once: try again"});
      }
      return false;
    }
    // Answers that nobody reads fill the budget, too.
    if (held_ > 0 && context.budget.Exceeded()) {
      Refuse(context, {503, "too many large requests at once: try again"});
      return false;
    }
    AnswerOne(context);
    turn_over_ = since_ >= turn_end && !pending_.empty() && !HasParked();
    if (turn_over_) return false;
  }
  return !close_after_send_ && !HasParked() && !pending_.empty();
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
  if (!framer_.Fill(pending_, request)) {
    Refuse(context, framer_.Error());
    return;
  }
  if (!NameClient(request)) {
    Refuse(context, {400, "malformed X-Forwarded-For"});
    return;
  }
  request.worker = context.worker;
  request.more_at_hand = context.more_at_hand;
  const std::size_t used = framer_.Consumed();
  Response response;
  request.received = Steady::now();
  if (context.overload.Shed(request.received)) {
    Report(context, 503, "server is overloaded");
    response = ErrorResponse(503, "server is overloaded: try again");
  } else {
    RequestParking parking(context.place, pending_.substr(0, used), framer_, request, tls_facts_);
    request.parking = &parking;
    context.handler.Handle(request, response);
    request.parking = nullptr;
    parked_ = parking.Ticket();
  }
  const bool head_only = request.method == Method::kHead;
  if (HasParked()) {
    parked_head_only_ = head_only;
    parked_then_close_ = !framer_.KeepAlive();
  } else {
    close_after_send_ = !framer_.KeepAlive() || context.draining;
    Append(response, head_only);
  }
  framer_.Reset();
  pending_.remove_prefix(used);
  used_ = true;
  received_ = pending_.size();
  forwarded_address_.clear();
  since_ = Steady::now();
}

void Connection::StopWaiting(const Context& context) {
  // What has begun goes on to its end and is recorded; its answer finds nobody.
  const bool begun = !parked_->Leave();
  parked_.reset();
  context.logger.Log(LogLevel::kWarn, "http", "a client was told not to wait for its request",
                     {{"client", peer_.address}, {"begun", begun ? "yes" : "no"}});
  BeginSending();
  AppendResponse(
      ErrorResponse(503, begun ? "request takes too long: it goes on, look whether it was done"
                               : "request waited too long and was not done: try again"),
      parked_head_only_, true, output_);
  close_after_send_ = true;
  refused_ = true;
}

void Connection::BeginSending() {
  if (!WantsWrite()) sending_since_ = Steady::now();
}

void Connection::Append(Response& response, bool head_only) {
  BeginSending();
  AppendResponse(response, head_only, close_after_send_, output_);
  wipe_output_ = wipe_output_ || response.wipe;
  WipeBody(response);
}

void Connection::Report(const Context& context, int status, std::string_view reason) {
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
  AppendResponse(ErrorResponse(error.status, error.text), false, true, output_);
  close_after_send_ = true;
  refused_ = true;
  framer_.Reset();
  pending_ = {};
}

}  // namespace coffer::http
