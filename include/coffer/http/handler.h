#pragma once

// The interface between the front door and the code that answers requests. The program's wiring
// makes one Handler for each server and keeps it alive until the server is gone. The worker threads
// call a handler, several of them at once; a Parked and a Memory are used by one thread at a time.
// Nothing here throws. Errors are statuses of a Response; Park() and Take() return kUnavailable if
// there is no room.

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

// A request that waits for its answer away from its connection's thread. It has buffers of its own,
// which are wiped when it is destroyed. Later requests of the connection wait until it is answered.
// One thread at a time, except where said. Example: Handle() calls `request.parking->Park()`, gives
// the result to another thread and returns; that thread does the work and calls Answer().
class Parked {
 public:
  // A parked request that nobody answered is answered 500 here.
  virtual ~Parked() = default;
  // The parked copy of the request. It is valid as long as this object.
  virtual Request& Asked() = 0;
  // The handler asks this before it does the work. It returns false if the client has left or was
  // told that nothing will be done: the answer would be dropped. After a true the work may go on to
  // its end; long work may ask again on its way. Any thread.
  virtual bool Begin() = 0;
  // Has the connection's own thread run `work` after what the thread's other connections ask for
  // now, so that long work gives way to them. The thread runs one such piece, then looks at its
  // sockets again. If the thread ends first, `work` is destroyed without being run.
  virtual void Later(std::function<void()> work) = 0;
  // Hands over the answer: once, from any thread. The connection's own thread writes it to this
  // very connection; if the connection is gone, the answer is wiped instead.
  virtual void Answer(Response response) = 0;
};

// How a handler parks the request that it is handling.
class Parking {
 public:
  virtual ~Parking() = default;
  // Copies the request and returns the copy; at most once for a request. The response that Handle()
  // was given is then ignored. kUnavailable, naming the limit, if too many requests are parked
  // (Options::max_parked) or they hold too much memory.
  virtual Result<std::unique_ptr<Parked>> Park() = 0;
};

// A request that no handler saw, because it was malformed, too large or too slow, or because the
// server is overloaded. The views are valid during the call, as a Request's are.
struct Refusal {
  int status = 400;
  LiteralText reason;
  // The target as it was sent, neither checked nor decoded (visible ASCII only); empty if there was
  // no request line.
  std::string_view target;
  std::string_view remote_address;
  std::uint16_t remote_port = 0;
};

// A handler's decision on a request of which only the head has come: on whose account it counts,
// and how large its body may be.
struct Admission {
  Owner owner = kUnknownOwner;
  // A larger body is refused. Options have bounds of their own: the smallest one holds.
  std::size_t max_body_bytes = std::numeric_limits<std::size_t>::max();
  int too_large_status = 413;
  LiteralText too_large = "http: request body too large";
};

// Answers requests. The worker thread of a request's connection calls it, so several workers may
// call it at once. It must not throw.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void Handle(const Request& request, Response& response) = 0;
  // Decides on a request of more than a few kilobytes, before memory is given to its body: `head`
  // is the request without a body. It does no I/O and waits for nothing.
  virtual Admission Admit(const Request& head) {
    static_cast<void>(head);
    return {};
  }
  // Learns of a refusal before the client is told.
  virtual void OnRefused(const Refusal& refusal) { static_cast<void>(refusal); }
  // Writes the body and the type of the answer to a refused request, and to one whose work was
  // given up. `text` is ASCII without quotes; it is put into the form in which the handler's
  // clients read errors. Any thread.
  virtual void WriteRefusal(std::string_view text, Response& response) const {
    response.body.append(text).append("\n");
    response.content_type = "text/plain";
  }
};

}  // namespace coffer::http
