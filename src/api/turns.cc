#include "api/turns.h"

#include <exception>
#include <utility>

namespace coffer::api {

// A parked request and its state. Its last holder ends it.
class Turns::Journey {
 public:
  // `lane`: of the worker that has the connection.
  Journey(std::shared_ptr<Steps> steps, keyring::Lane* lane, std::shared_ptr<http::Parked> parked)
      : steps_(std::move(steps)), lane_(lane), parked_(std::move(parked)) {}
  // Ends a request that was dropped on its way, because its worker ended: it is recorded like any
  // other.
  ~Journey() {
    if (over_) return;
    try {
      GiveUp({Code::kUnavailable, "request was given up before its end: try again", ""}, true);
    } catch (const std::exception&) {  // out of memory: what is parked answers 500
    }
  }
  Journey(const Journey&) = delete;
  Journey& operator=(const Journey&) = delete;

  bool Wanted() const { return parked_->Begin(); }
  void Later(std::function<void()> work) const { parked_->Later(std::move(work)); }
  keyring::Lane* WorkersLane() const { return lane_; }
  Next Step(keyring::Lane* lane) {
    const Next next = steps_->Step(lane);
    if (next == Next::kAnswer) Answer();
    return next;
  }
  void GiveUp(const Error& why, bool heard) {
    steps_->GiveUp(why, heard);
    Answer();
  }

 private:
  void Answer() {
    over_ = true;
    parked_->Answer(steps_->TakeAnswer());
  }

  const std::shared_ptr<Steps> steps_;
  keyring::Lane* const lane_;
  const std::shared_ptr<http::Parked> parked_;  // its buffers are the request's
  bool over_ = false;
};

bool Turns::Begin(const std::shared_ptr<Steps>& steps, keyring::Lane* lane,
                  http::Parking* parking) const {
  const Next next = steps->Step(lane);
  if (next == Next::kAnswer) return true;
  if (parking == nullptr) {
    BeginWaiting(*steps, lane, next);
    return true;
  }
  auto place = parking->Park();
  if (!place) {
    steps->GiveUp(place.error(), true);
    return true;
  }
  const std::shared_ptr<http::Parked> parked = std::move(*place);
  const Status moved = steps->MoveTo(parked->Asked());
  const auto journey = std::make_shared<Journey>(steps, lane, parked);
  if (moved) {
    Send(journey, next);
  } else {
    journey->GiveUp(moved.error(), true);
  }
  return false;
}

void Turns::BeginWaiting(Steps& steps, keyring::Lane* lane, Next next) const {
  while (next != Next::kAnswer) {
    if (next == Next::kWorker) {
      next = steps.Step(lane);
      continue;
    }
    const Status ran =
        custodian_.run([&](keyring::Lane* custodians) { next = steps.Step(custodians); });
    if (!ran) {
      steps.GiveUp(ran.error(), true);
      return;
    }
  }
}

void Turns::Send(const std::shared_ptr<Journey>& journey, Next next) const {
  if (next == Next::kWorker) {
    journey->Later([this, journey] { TakeTurn(journey, journey->WorkersLane()); });
    return;
  }
  const Status queued =
      custodian_.submit([this, journey](keyring::Lane* lane) { TakeTurn(journey, lane); });
  if (!queued) journey->GiveUp(queued.error(), true);
}

void Turns::TakeTurn(const std::shared_ptr<Journey>& journey, keyring::Lane* lane) const {
  if (!journey->Wanted()) {  // the time is for those who wait
    journey->GiveUp({Code::kUnavailable, "the client did not wait for its turn", ""}, false);
    return;
  }
  const Next next = journey->Step(lane);
  if (next != Next::kAnswer) Send(journey, next);
}

}  // namespace coffer::api
