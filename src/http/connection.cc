#include "http/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "coffer/base/secret_bytes.h"
#include "http/parking.h"
#include "http/response_text.h"
#include "http/wiping_reserve.h"

namespace coffer::http {
namespace {

constexpr std::size_t kReadOctets = 64UL * 1024;
constexpr std::size_t kMaxUnsent =
    1024UL * 1024;  // answers that may wait before the next request is looked at
// How long a refused client may go on sending before it is cut off.
constexpr std::chrono::seconds kLinger{2};
constexpr std::size_t kKeptCapacity = 256UL * 1024;  // larger buffers are given back after use

void WipeAndRelease(std::string& text) {
  SecureWipe(text.data(), text.size());
  text.clear();
  if (text.capacity() > kKeptCapacity) text.shrink_to_fit();
}

}  // namespace

Connection::Connection(Peer peer, const Options& options)
    : peer_(std::move(peer)),
      framer_({options.max_header_bytes, options.max_body_bytes}),
      since_(Steady::now()) {}

Connection::~Connection() {
  if (parked_) parked_->store(true);
  SecureWipe(input_.data(), input_.size());
  if (wipe_output_) SecureWipe(output_.data(), output_.size());
  ::close(peer_.fd);
}

Connection::Next Connection::Receive() {
  // One read for each readiness: a busy client cannot keep its worker from the others.
  const std::size_t before = input_.size();
  ReserveWiping(input_, before + kReadOctets);
  input_.resize(before + kReadOctets);
  ssize_t got = 0;
  do {
    got = ::recv(peer_.fd, input_.data() + before, kReadOctets, 0);
  } while (got < 0 && errno == EINTR);
  input_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got > 0) return Next::kKeep;
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Next::kKeep;
  input_ended_ = true;
  return got == 0 && WantsWrite() ? Next::kKeep : Next::kClose;
}

Connection::Interest Connection::Wants() const {
  if (WantsWrite()) return Interest::kWrite;
  return HasParked() ? Interest::kNothing : Interest::kRead;
}

Connection::Next Connection::OnReadable(const Context& context) {
  if (lingering_) return Discard();
  if (HasParked()) return Next::kClose;  // nothing was asked for: the socket is broken
  if (close_after_send_ || output_.size() - sent_ > kMaxUnsent) return Send();
  const bool was_empty = input_.empty();
  if (Receive() == Next::kClose) return Next::kClose;
  if (was_empty && !input_.empty()) since_ = Steady::now();
  return Answer(context);
}

Connection::Next Connection::OnWritable(const Context& context) {
  if (Send() == Next::kClose) return Next::kClose;
  return WantsWrite() || close_after_send_ ? Next::kKeep : Answer(context);
}

Connection::Next Connection::OnParkedAnswer(const Context& context, Response& response) {
  parked_.reset();
  close_after_send_ = parked_then_close_ || context.draining;
  Append(response, parked_head_only_);
  since_ = Steady::now();
  return Answer(context);
}

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
  while (!close_after_send_ && !HasParked() && !input_.empty() &&
         output_.size() - sent_ <= kMaxUnsent) {
    const bool had_head = framer_.HeadComplete();
    const RequestFramer::State state = framer_.Advance(input_);
    if (state == RequestFramer::State::kError) {
      Refuse(context, framer_.Error());
      return false;
    }
    if (state == RequestFramer::State::kNeedMore) {
      if (!had_head && framer_.HeadComplete()) since_ = Steady::now();
      if (framer_.TakeContinue()) output_ += "HTTP/1.1 100 Continue\r\n\r\n";
      return false;
    }
    AnswerOne(context);
  }
  return !close_after_send_ && !HasParked() && !input_.empty();
}

void Connection::AnswerOne(const Context& context) {
  Request& request = context.request;
  if (!framer_.Fill(input_, request)) {
    Refuse(context, framer_.Error());
    return;
  }
  request.remote_address = peer_.address;
  request.remote_port = peer_.port;
  request.worker = context.worker;
  const std::size_t used = framer_.Consumed();
  RequestParking parking(context.place, std::string_view(input_).substr(0, used), framer_, request);
  request.parking = &parking;
  Response response;
  context.handler.Handle(request, response);
  request.parking = nullptr;
  parked_ = parking.Ticket();
  const bool head_only = request.method == Method::kHead;
  if (HasParked()) {
    parked_head_only_ = head_only;
    parked_then_close_ = !framer_.KeepAlive();
  } else {
    close_after_send_ = !framer_.KeepAlive() || context.draining;
    Append(response, head_only);
  }
  framer_.Reset();
  const std::size_t left = input_.size() - used;
  std::copy_n(input_.data() + used, left, input_.data());
  SecureWipe(input_.data() + left, used);
  input_.resize(left);
  if (input_.empty()) WipeAndRelease(input_);
  since_ = Steady::now();
}

void Connection::Append(Response& response, bool head_only) {
  AppendResponse(response, head_only, close_after_send_, output_);
  wipe_output_ = wipe_output_ || response.wipe;
  WipeBody(response);
}

void Connection::Refuse(const Context& context, const FrameError& error) {
  Refusal refusal;
  refusal.status = error.status;
  refusal.reason = error.text;
  refusal.method = framer_.MethodText(input_);
  refusal.target = framer_.TargetText(input_);
  refusal.remote_address = peer_.address;
  refusal.remote_port = peer_.port;
  refusal.worker = context.worker;
  context.handler.OnRefused(refusal);
  AppendResponse(ErrorResponse(error.status, error.text), false, true, output_);
  close_after_send_ = true;
  refused_ = true;
  framer_.Reset();
  WipeAndRelease(input_);
}

Connection::Next Connection::Send() {
  while (WantsWrite()) {
    const ssize_t sent = ::send(peer_.fd, output_.data() + sent_, output_.size() - sent_,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Next::kKeep;
    if (sent <= 0) return Next::kClose;
    sent_ += static_cast<std::size_t>(sent);
    since_ = Steady::now();
  }
  if (wipe_output_) SecureWipe(output_.data(), output_.size());
  wipe_output_ = false;
  output_.clear();
  sent_ = 0;
  if (output_.capacity() > kKeptCapacity) output_.shrink_to_fit();
  if (!close_after_send_) return input_ended_ ? Next::kClose : Next::kKeep;
  // The client may still be sending what we refused: closing with octets unread would reset the
  // connection, and the reset can overtake our answer.
  ::shutdown(peer_.fd, SHUT_WR);
  lingering_ = refused_;
  since_ = Steady::now();
  const Next next = Discard();
  return lingering_ ? next : Next::kClose;
}

Connection::Next Connection::Discard() {
  std::array<char, 16384> rest{};
  for (int i = 0; i < 16; ++i) {
    const ssize_t got = ::recv(peer_.fd, rest.data(), rest.size(), MSG_DONTWAIT);
    if (got > 0 || (got < 0 && errno == EINTR)) continue;
    const bool waiting = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return waiting ? Next::kKeep : Next::kClose;
  }
  return Next::kKeep;
}

Connection::Next Connection::OnTick(Steady::time_point now, const Context& context) {
  const Options& options = context.options;
  const auto age = now - since_;
  if (HasParked() && !WantsWrite()) return Next::kKeep;
  if (lingering_) return age > kLinger ? Next::kClose : Next::kKeep;
  const auto limit = WantsWrite()             ? options.body_timeout
                     : input_.empty()         ? options.idle_timeout
                     : framer_.HeadComplete() ? options.body_timeout
                                              : options.header_timeout;
  if (age <= limit) return Next::kKeep;
  if (WantsWrite() || input_.empty()) return Next::kClose;
  Refuse(context, {408, "request took too long"});
  static_cast<void>(Send());
  return Next::kClose;
}

}  // namespace coffer::http
