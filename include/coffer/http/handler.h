#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string_view>

#include "coffer/base/literal_text.h"
#include "coffer/base/result.h"
#include "coffer/http/message.h"

namespace coffer::http {

// A request that waits for its answer away from its connection's thread, with buffers of its own,
// which are wiped with it. Later requests of the connection wait behind it. One thread at a time.
class Parked {
 public:
  // One that was never answered answers 500.
  virtual ~Parked() = default;
  // Valid as long as this is.
  virtual Request& Asked() = 0;
  // Asked before the work: false once its client left or was told that nothing will be done, and
  // the answer would be dropped. After a true the work may go on to its end; long work may ask
  // again on its way. Any thread.
  virtual bool Begin() = 0;
  // Has `work` run by the connection's own thread, behind what its other connections ask for now:
  // so long work gives way. One piece at a time is run between looks at the sockets. Where the
  // thread ends first, `work` is dropped and what it holds with it.
  virtual void Later(std::function<void()> work) = 0;
  // Once, from any thread. The answer is written by the connection's own thread, to this very
  // connection or, where it is gone, to nobody: then it is wiped.
  virtual void Answer(Response response) = 0;
};

// How a handler parks the request that it is handling.
class Parking {
 public:
  virtual ~Parking() = default;
  // A copy of the request, at most once; what Handle() leaves in its response is then ignored.
  // kUnavailable, naming the limit, where too many are parked (Options::max_parked) or too much is.
  virtual Result<std::unique_ptr<Parked>> Park() = 0;
};

// A request that no handler saw: malformed, too large, too slow, or shed in an overload. Views as
// in Request.
struct Refusal {
  int status = 400;
  LiteralText reason;
  // As sent, unchecked and undecoded (visible ASCII only); empty where there was no request line.
  std::string_view target;
  std::string_view remote_address;
  std::uint16_t remote_port = 0;
};

// A handler decides this by a request's head alone.
struct Admission {
  Owner owner = kUnknownOwner;
  // Beyond it the request is refused. Options have bounds of their own: the smallest one holds.
  std::size_t max_body_bytes = std::numeric_limits<std::size_t>::max();
  int too_large_status = 413;
  LiteralText too_large = "http: request body too large";
};

// Answers requests, each on the worker thread of its connection; called by several workers at once.
// Must not throw.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void Handle(const Request& request, Response& response) = 0;
  // Asked for a request of more than a few kilobytes once its head is there, `head` without a body:
  // before memory is given to the rest. Does no I/O and waits for nothing.
  virtual Admission Admit(const Request& head) {
    static_cast<void>(head);
    return {};
  }
  // Before the client is told.
  virtual void OnRefused(const Refusal& refusal) { static_cast<void>(refusal); }
  // The body and type of the answer to such a request, and to one whose work was given up: `text`,
  // which is ASCII without quotes, as the handler's clients read errors. Any thread.
  virtual void WriteRefusal(std::string_view text, Response& response) const {
    response.body.append(text).append("\n");
    response.content_type = "text/plain";
  }
};

}  // namespace coffer::http
