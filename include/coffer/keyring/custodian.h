#pragma once

// The custodian owns one token instance and one thread. Only that thread makes, changes and
// destroys token objects, writes the epoch, changes keys, probes the token and runs periodic jobs;
// other threads hand it work through one bounded queue. The server makes one custodian and stops it
// before the key ring goes. Any thread may call, except where a function says otherwise. Errors:
// kTokenLost while the token cannot be reached, kUnavailable where the queue is full or an answer
// takes too long.
// Example: `custodian.Run([&](CustodianTurn& turn) { return turn->WriteEpoch(epoch); });`

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "coffer/base/clock.h"
#include "coffer/base/logger.h"
#include "coffer/base/result.h"
#include "coffer/base/scheduler.h"
#include "coffer/base/stall_watch.h"
#include "coffer/keyring/token.h"

namespace coffer::keyring {

// The health of the token: `reachable` says that it can be used. Any thread may read it.
// `generation` rises with each recovery: an instance whose owner has seen a smaller one must
// Reopen() before its next call.
struct TokenHealth {
  std::atomic<bool> reachable{true};
  std::atomic<std::uint64_t> generation{1};
};

// Proves that its holder runs on the custodian's thread: only the custodian makes turns, one for
// each piece of work. A function that may run on that thread only takes a turn as an argument. A
// turn gives access to the custodian's instance of the token, and is valid during its piece of work
// only.
class CustodianTurn {
 public:
  CustodianTurn(const CustodianTurn&) = delete;
  CustodianTurn& operator=(const CustodianTurn&) = delete;
  Token* operator->() const { return &token_; }
  operator Token&() const { return token_; }  // NOLINT(google-explicit-constructor)

 private:
  friend class Custodian;
  explicit CustodianTurn(Token& token) : token_(token) {}
  Token& token_;
};

// The custodian's thread, its queue and its jobs.
class Custodian final : public Scheduler {
 public:
  struct Options {
    std::chrono::milliseconds probe_period{250};
    std::size_t queue_limit = 1024;
    std::chrono::milliseconds probe_wait = StallWatch::Limits{}.wait;
  };
  // Takes over the instance. `token` is used by the custodian's thread only, from Start() on.
  Custodian(std::unique_ptr<Token> token, Options options, const Clock& clock, Logger& logger);
  ~Custodian() override;  // Stop()

  void AddPeriodic(std::string name, std::chrono::milliseconds period,
                   std::function<void(SystemTime now)> job) override;
  // The function is called on the custodian's thread when the token is lost (with the cause) and
  // when it is back. Call this before Start().
  void OnTokenChange(std::function<void(bool reachable, std::string_view cause)> on_change);
  void Start();
  // Finishes the queue, then ends the thread.
  void Stop();

  // Runs `work` on the custodian's thread and waits for it. kUnavailable if it takes longer than
  // `wait` (its outcome is then unknown) or the queue is full; kTokenLost at once while the token
  // is lost. A call on the custodian's own thread runs the work at once, and so does a call on any
  // thread before Start().
  Status Run(std::function<Status(CustodianTurn&)> work,
             std::chrono::milliseconds wait = std::chrono::seconds(30));
  // Queues the work and returns. A full queue drops the work without an error, so post only work
  // that will be posted again.
  void Post(std::function<Status(CustodianTurn&)> work);
  // Queues and returns; kUnavailable where the queue is full or the custodian stops. The work runs
  // while the token is lost, too; its own calls then fail. If it ends with kTokenLost, the token is
  // probed.
  Status Submit(std::function<Status(CustodianTurn&)> work);
  // Probes the token before all queued work and waits for the result. Called after an error that
  // may mean that the token is lost. kTokenLost also if there is no result within `probe_wait`: the
  // custodian's present work may hang in the token.
  Status ProbeNow();

  const TokenHealth& Health() const;
  // The clock that shows since when the custodian has been at one piece of work or one job. Any
  // thread; it outlives the custodian.
  std::shared_ptr<const WorkClock> Work() const;
  // The number of pieces of work in the queue. Any thread.
  std::size_t Waiting() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::keyring
