#pragma once

#include <functional>
#include <memory>

#include "coffer/base/result.h"
#include "coffer/http/handler.h"
#include "coffer/http/message.h"

namespace coffer::api {

// What a request needs next.
enum class Next {
  kAnswer,     // nothing: it is over, and its answer is there
  kCustodian,  // the custodian's thread
  kWorker,     // its own worker, behind what the worker's other connections ask for now
};

// A request that goes its way in steps and waits between them, as often as it must. What it knows
// stays with it: no step is taken twice. One thread at a time.
class Steps {
 public:
  virtual ~Steps() = default;
  // Goes on where the last one stopped, where that asked to. Does not throw.
  virtual Next Step() = 0;
  // Once, before the first step away from its connection's buffers: `request` is the same one in
  // buffers that stay until the end. An error where there is no room for what is known of it.
  virtual Status MoveTo(const http::Request& request) = 0;
  // Instead of a further step: it ends here, for this reason. `heard`: somebody waits for the
  // answer. Does not throw.
  virtual void GiveUp(const Error& why, bool heard) = 0;
  // Once, when it is over.
  virtual http::Response TakeAnswer() = 0;
};

// Takes requests from step to step: between their worker and the custodian, parked meanwhile. Each
// ends exactly once, whatever becomes of its client, of a queue or of the server, and its answer is
// written by its connection's own thread. Any thread; outlives the requests.
class Turns {
 public:
  // How work gets to the custodian.
  struct Custodian {
    // Queues it and returns.
    std::function<Status(std::function<void()> work)> submit;
    // Waits for it.
    std::function<Status(const std::function<void()>& work)> run;
  };
  explicit Turns(Custodian custodian) : custodian_(std::move(custodian)) {}

  // Takes the first step, on the request's worker. True: the request is over. False: it is parked,
  // and will be answered. Without `parking` its caller waits, and it is over.
  bool Begin(const std::shared_ptr<Steps>& steps, http::Parking* parking) const;

 private:
  class Journey;
  void BeginWaiting(Steps& steps, Next next) const;
  void Send(const std::shared_ptr<Journey>& journey, Next next) const;
  void TakeTurn(const std::shared_ptr<Journey>& journey) const;

  const Custodian custodian_;
};

}  // namespace coffer::api
