#include "http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "coffer/base/secret_bytes.h"
#include "coffer/base/wiping_reserve.h"
#include "http/parking.h"
#include "http/proxy_header.h"
#include "http/response_text.h"

namespace coffer::http {
namespace {

using State = IoResult::State;

constexpr std::size_t kTlsRecord = 16UL * 1024;
constexpr std::chrono::seconds kLinger{2};
constexpr std::size_t kIdleCapacity = 4UL * 1024;  // larger buffers are given back

void WipeAndRelease(std::string& text) {
  SecureWipe(text.data(), text.size());
  text.clear();
  if (text.capacity() > kIdleCapacity) text.shrink_to_fit();
}

std::chrono::milliseconds TimeFor(std::size_t octets, std::size_t rate) {
  return std::chrono::milliseconds(octets * 1000 / std::max<std::size_t>(rate, 1));
}

}  // namespace

Connection::Connection(Peer peer, const Context& context)
    : peer_(std::move(peer)),
      framer_({context.options.max_header_bytes, context.options.max_body_bytes}),
      share_(context.budget),
      since_(Steady::now()) {
  if (peer_.terms->ProxyProtocol()) {
    stage_ = Stage::kProxyHeader;
  } else {
    BeginStream();
  }
}

Connection::~Connection() {
  if (parked_) parked_->Leave();
  SecureWipe(input_.data(), input_.size());
  framer_.Reset();
  if (wipe_output_) SecureWipe(output_.data(), output_.size());
}

void Connection::BeginStream() {
  stream_ = peer_.tls ? peer_.tls->MakeStream(Fd()) : MakePlainStream(Fd());
  stage_ = peer_.tls ? Stage::kHandshake : Stage::kServing;
}

Connection::Interest Connection::Wants() const {
  if (HasParked()) return WantsWrite() ? Interest::kWriteOrEnd : Interest::kEnd;
  return WantsWrite() || blocked_on_write_ ? Interest::kWrite : Interest::kRead;
}

Connection::Next Connection::Open(const Context& context) {
  if (stage_ == Stage::kProxyHeader) return ReadProxyHeader(context);
  if (stream_ == nullptr) return Next::kClose;
  if (SpeaksPlainHttp()) {
    stream_ = MakePlainStream(Fd());
    stage_ = Stage::kServing;
    Refuse(context, {400, "client sent an HTTP request to an HTTPS server"});
    return Send();
  }
  const IoResult result = stream_->Handshake();
  blocked_on_write_ = result.state == State::kWaitWrite;
  switch (result.state) {
    case State::kOk:
      stage_ = Stage::kServing;
      tls_facts_ = stream_->Facts();
      since_ = Steady::now();
      return Next::kKeep;  // the bytes after it are still in the socket
    case State::kWaitRead:
    case State::kWaitWrite:
      return Next::kKeep;
    case State::kEnd:
    case State::kFailed:
      break;
  }
  ReportFailedHandshake(context);
  return Linger();
}

// True if the first byte is that of plain HTTP: a TLS record begins with a small number, a request
// with a capital letter.
bool Connection::SpeaksPlainHttp() {
  char first = 0;
  if (greeted_ || ::recv(Fd(), &first, 1, MSG_PEEK) != 1) return false;
  greeted_ = true;
  return first >= 'A' && first <= 'Z';
}

void Connection::ReportFailedHandshake(const Context& context) {
  constexpr std::chrono::seconds kBetweenReports{1};
  const auto now = Steady::now();
  if (now - context.last_report < kBetweenReports) return;
  context.last_report = now;
  context.logger.Log(LogLevel::kInfo, "http", "TLS handshake failed",
                     {{"client", peer_.address}, {"reason", stream_->Failure()}});
}

Connection::Next Connection::ReadProxyHeader(const Context& context) {
  while (true) {
    ProxyHeader header = ParseProxyHeader(opening_);
    if (header.state == ProxyHeader::State::kDone) {
      if (!header.address.empty()) {
        peer_.address = CanonicalAddress(header.address);
        peer_.port = header.port;
        if (!context.limits.Name(peer_.lease, peer_.address)) return Next::kClose;
      }
      BeginStream();
      return Next::kKeep;
    }
    if (header.state == ProxyHeader::State::kBad) return Next::kClose;
    // Nothing beyond the header is read: what follows may be for TLS.
    const std::size_t before = opening_.size();
    opening_.resize(before + header.more);
    const ssize_t got = ::recv(Fd(), opening_.data() + before, header.more, 0);
    opening_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return Next::kKeep;
    if (got <= 0) return Next::kClose;
  }
}

Connection::Next Connection::Receive(const Context& context) {
  // The socket is read once each time that it is readable: a busy client cannot keep its worker
  // from the others.
  const std::span<char> room(context.scratch.octets);
  std::size_t got = 0;
  IoResult result;
  do {
    result = stream_->Read(room.subspan(got));
    got += result.size;
  } while (result.state == State::kOk && stream_->MayHoldMore(result.size) &&
           room.size() - got >= kTlsRecord);
  context.scratch.used = got;
  blocked_on_write_ = result.state == State::kWaitWrite;
  if (got > 0) {
    if (input_.empty()) {
      pending_ = {room.data(), got};
      since_ = Steady::now();
    } else {
      ReserveWiping(input_, input_.size() + got);
      input_.append(room.data(), got);
      pending_ = input_;
      progressed_ = Steady::now();
    }
    received_ += got;
  }
  if (result.state != State::kEnd && result.state != State::kFailed) return Next::kKeep;
  input_ended_ = true;
  if (got > 0) return Next::kKeep;
  return result.state == State::kEnd && WantsWrite() ? Next::kKeep : Next::kClose;
}

Connection::Next Connection::Settle(Next next, const Context& context) {
  Scratch& scratch = context.scratch;
  if (pending_.empty()) {
    if (!input_.empty()) WipeAndRelease(input_);
  } else if (pending_.data() >= scratch.octets.data() &&
             pending_.data() < scratch.octets.data() + scratch.octets.size()) {
    // A body whose length is known gets all its room now, so that it is not moved when the rest
    // comes.
    if (admitted_) input_.reserve(framer_.KnownSize());
    input_.assign(pending_);
  } else if (pending_.size() != input_.size()) {
    std::copy(pending_.begin(), pending_.end(), input_.begin());
    SecureWipe(input_.data() + pending_.size(), input_.size() - pending_.size());
    input_.resize(pending_.size());
  }
  pending_ = {};
  SecureWipe(scratch.octets.data(), scratch.used);
  scratch.used = 0;
  if (!NoteRoom()) return Next::kClose;
  // A client that has ended its side still gets all its answers before the connection is closed.
  return input_ended_ && !WantsWrite() && !HasRequest() ? Next::kClose : next;
}

Connection::Next Connection::OnReadable(const Context& context) {
  if (stage_ == Stage::kLingering) return Discard();
  if (HasParked()) return Next::kClose;
  if (stage_ != Stage::kServing) return Open(context);
  if (close_after_send_ || WantsWrite()) return Send();
  pending_ = input_;
  Next next = Receive(context);
  if (next == Next::kKeep) next = FrameAndSend(context);
  return Settle(next, context);
}

// Frames the input, which may add an error or "100 Continue" to the output, and sends the output.
Connection::Next Connection::FrameAndSend(const Context& context) {
  Frame(context);
  return Send();
}

Connection::Next Connection::OnWritable(const Context& context) {
  if (blocked_on_write_ && !WantsWrite()) return OnReadable(context);
  if (Send() == Next::kClose) return Next::kClose;
  if (WantsWrite() || close_after_send_) return Next::kKeep;
  pending_ = input_;
  return Settle(FrameAndSend(context), context);
}

Connection::Next Connection::OnParkedAnswer(const Context& context, Response& response) {
  if (!HasParked()) {
    WipeBody(response);
    return Next::kKeep;
  }
  parked_.reset();
  linger_ = context.draining && input_.empty();
  close_after_send_ = parked_then_close_ || linger_;
  owner_ = response.owner;
  Append(context, response, parked_head_only_);
  since_ = Steady::now();
  pending_ = input_;
  return Settle(FrameAndSend(context), context);
}

Connection::Next Connection::Send() {
  while (WantsWrite()) {
    const IoResult result = stream_->Write(std::string_view(output_).substr(sent_));
    if (result.state == State::kWaitRead || result.state == State::kWaitWrite) return Next::kKeep;
    if (result.state != State::kOk) return Next::kClose;
    sent_ += result.size;
    progressed_ = Steady::now();
  }
  if (wipe_output_) SecureWipe(output_.data(), output_.size());
  wipe_output_ = false;
  output_.clear();
  sent_ = 0;
  if (output_.capacity() > kIdleCapacity) output_.shrink_to_fit();
  if (!close_after_send_) return Next::kKeep;
  if (linger_) return Linger();
  stream_->EndWriting();
  return Next::kClose;
}

Connection::Next Connection::Linger() {
  stream_->EndWriting();
  ::shutdown(Fd(), SHUT_WR);
  blocked_on_write_ = false;
  stage_ = Stage::kLingering;
  since_ = Steady::now();
  return Discard();
}

Connection::Next Connection::Discard() {
  std::array<char, 16384> rest{};
  for (int i = 0; i < 16; ++i) {
    const ssize_t got = ::recv(Fd(), rest.data(), rest.size(), MSG_DONTWAIT);
    if (got > 0 || (got < 0 && errno == EINTR)) continue;
    const bool waiting = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    return waiting ? Next::kKeep : Next::kClose;
  }
  return Next::kKeep;
}

// Counts the memory that is held until the next call. False if the answers that the client has yet
// to take are more than its owner's share: then the connection is closed.
bool Connection::NoteRoom() {
  if (!admitted_ && !WantsWrite()) owner_ = kUnknownOwner;
  std::size_t bytes = framer_.DecodedBodyCapacity();
  if (!input_.empty()) bytes += std::max(input_.capacity(), framer_.KnownSize());
  if (WantsWrite()) bytes += output_.capacity();
  if (WantsWrite()) return share_.Ask(owner_, bytes);
  share_.Note(owner_, bytes);
  return true;
}

bool Connection::Overdue(Steady::time_point now, const Options& options) const {
  const auto age = now - since_;
  if (stage_ == Stage::kLingering) return age > kLinger;
  if (stage_ != Stage::kServing) return age > options.handshake_timeout;
  if (WantsWrite()) {
    // Bytes that were sent earlier give no credit: a client that now takes nothing for send_timeout
    // is closed, too.
    return now - sending_since_ > options.send_timeout + TimeFor(sent_, options.min_rate) ||
           now - std::max(sending_since_, progressed_) > options.send_timeout;
  }
  if (HasParked()) return age > options.parked_timeout;
  if (complete_) return false;  // it waits for us
  if (input_.empty()) return age > (used_ ? options.idle_timeout : options.header_timeout);
  if (!framer_.HeadComplete()) return age > options.header_timeout;
  if (owner_ == kUnknownOwner) return age > options.unknown_body_timeout;
  return age > options.body_timeout + TimeFor(received_, options.min_rate) ||
         now - std::max(since_, progressed_) > options.body_timeout;
}

FrameError Connection::TooSlow(const Options& options) const {
  const bool head = !framer_.HeadComplete();
  const auto limit = head                      ? options.header_timeout
                     : owner_ == kUnknownOwner ? options.unknown_body_timeout
                                               : options.body_timeout;
  return {408, "request took too long", static_cast<std::uint64_t>(limit.count()),
          head ? "ms for its head" : "ms for its body"};
}

Connection::Next Connection::OnTick(Steady::time_point now, const Context& context) {
  if (context.draining && Idle() && stage_ != Stage::kLingering) {
    const Next next = OnReadable(context);  // requests that have arrived are answered
    return Idle() ? Next::kClose : next;
  }
  if (!Overdue(now, context.options)) return Next::kKeep;
  if (stage_ != Stage::kServing || WantsWrite()) return Next::kClose;
  if (HasParked()) {
    StopWaiting(context);
  } else if (!input_.empty()) {
    pending_ = input_;
    Refuse(context, TooSlow(context.options));
  } else {
    return Next::kClose;
  }
  return Settle(Send(), context);
}

}  // namespace coffer::http
