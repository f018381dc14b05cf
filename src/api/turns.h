#pragma once

#include <functional>
#include <memory>

#include "coffer/base/result.h"
#include "coffer/http/handler.h"
#include "coffer/http/message.h"
#include "coffer/keyring/lane.h"

namespace coffer::api {

// The next thing that a request needs.
enum class Next {
  kAnswer,     // nothing: it is over, and its answer is there
  kCustodian,  // the custodian's thread
  kWorker,     // its own worker, after the present requests of the worker's other connections
};

// A request that is carried out in steps and may wait between them. It remembers everything that it
// has found out, so no step is done twice. One thread at a time.
class Steps {
 public:
  virtual ~Steps() = default;
  // Does the next step, on the thread that the last step returned. `lane` is that thread's; null if
  // it has none. Does not throw.
  virtual Next Step(keyring::Lane* lane) = 0;
  // Moves the request to buffers that stay until its end: called once, before its first step on
  // another thread or at a later time. `request` is the same request in those buffers. An error if
  // there is no room for what is known of it.
  virtual Status MoveTo(const http::Request& request) = 0;
  // Ends the request for this reason, instead of a further step. `heard` is true if somebody waits
  // for the answer. Does not throw.
  virtual void GiveUp(const Error& why, bool heard) = 0;
  // Returns the answer: once, when the request is over.
  virtual http::Response TakeAnswer() = 0;
};

// Carries requests from step to step, between their worker and the custodian, and parks them
// meanwhile. Each ends exactly once, whatever becomes of its client, of a queue or of the server,
// and its answer is written by the thread of its connection. Any thread; it outlives the requests.
class Turns {
 public:
  // The two ways to run work on the custodian's thread.
  struct Custodian {
    using Work = std::function<void(keyring::Lane* lane)>;  // gets the custodian's lane
    // Queues the work and returns.
    std::function<Status(Work work)> submit;
    // Has the work done and waits for it.
    std::function<Status(const Work& work)> run;
  };
  explicit Turns(Custodian custodian) : custodian_(std::move(custodian)) {}

  // Does the first step, on the worker of the request, whose lane is `lane`. True: the request is
  // over. False: it is parked and will be answered later. Without `parking` the call waits for the
  // request's end and returns true.
  bool Begin(const std::shared_ptr<Steps>& steps, keyring::Lane* lane,
             http::Parking* parking) const;

 private:
  class Journey;
  void BeginWaiting(Steps& steps, keyring::Lane* lane, Next next) const;
  void Send(const std::shared_ptr<Journey>& journey, Next next) const;
  void TakeTurn(const std::shared_ptr<Journey>& journey, keyring::Lane* lane) const;

  const Custodian custodian_;
};

}  // namespace coffer::api
