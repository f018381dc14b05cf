#include "coffer/keyring/custodian.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "coffer/base/mutex.h"
#include "keyring/lost.h"

namespace coffer::keyring {
namespace {

using Steady = std::chrono::steady_clock;

struct PeriodicJob {
  std::string name;
  std::chrono::milliseconds period;
  std::function<void(SystemTime)> run;
  Steady::time_point due;
};

}  // namespace

struct Custodian::Impl {
  enum class Stage { kQueued, kRunning, kDone, kAbandoned };
  struct Work {
    std::function<Status(CustodianTurn&)> run;
    bool even_when_lost = false;
    Stage stage = Stage::kQueued;  // protected by mutex
    Status outcome;
  };

  Impl(std::unique_ptr<Token> instance, Options settings, const Clock& time, Logger& log)
      : token(std::move(instance)), options(settings), clock(time), logger(log) {}

  // Constant after construction.
  const std::unique_ptr<Token> token;
  const Options options;
  const Clock& clock;
  Logger& logger;
  TokenHealth health;
  const std::shared_ptr<WorkClock> at_work = std::make_shared<WorkClock>();
  std::function<void(bool, std::string_view)> on_token_change;

  Mutex mutex;
  Condition wake;  // the thread: work, or the end
  Condition done;  // callers: a stage changed
  std::deque<std::shared_ptr<Work>> queue COFFER_GUARDED_BY(mutex);
  std::shared_ptr<Work> probe COFFER_GUARDED_BY(mutex);  // the last that a caller waits for
  std::vector<PeriodicJob> jobs COFFER_GUARDED_BY(mutex);
  bool stopping COFFER_GUARDED_BY(mutex) = false;

  std::thread thread;
  bool started = false;  // set by Start(), which comes before other threads call

  bool OnOwnThread() const { return std::this_thread::get_id() == thread.get_id(); }

  Result<std::shared_ptr<Work>> Enqueue(std::function<Status(CustodianTurn&)> run,
                                        bool even_when_lost) {
    auto work = std::make_shared<Work>();
    work->run = std::move(run);
    work->even_when_lost = even_when_lost;
    const MutexLock lock(mutex);
    if (stopping) return Fail(Code::kUnavailable, "server is shutting down");
    if (queue.size() >= options.queue_limit) {
      return Fail(Code::kUnavailable, "too many key changes are waiting, try again: at most " +
                                          std::to_string(options.queue_limit));
    }
    queue.push_back(work);
    wake.NotifyOne();
    return work;
  }

  // One probe serves all callers that called before it began.
  Result<std::shared_ptr<Work>> QueuedProbe() COFFER_REQUIRES(mutex) {
    if (stopping) return Fail(Code::kUnavailable, "server is shutting down");
    if (probe && probe->stage == Stage::kQueued) return probe;
    probe = std::make_shared<Work>();
    probe->run = [this](CustodianTurn&) { return Probe(); };
    probe->even_when_lost = true;
    queue.push_front(probe);
    wake.NotifyOne();
    return probe;
  }

  // SoftHSM rewrites the token's file in place at each login: an instance that reads it meanwhile
  // sees a damaged token. So a loss counts only if several probes, a short time apart, fail.
  Status ProbePatiently() {
    constexpr int kTries = 3;
    constexpr std::chrono::milliseconds kPause{10};
    for (int i = 1; i < kTries; ++i) {
      if (token->Probe()) return {};
      std::this_thread::sleep_for(kPause);
    }
    return token->Probe();
  }

  Status Probe() {
    const bool was_reachable = health.reachable.load();
    Status alive = was_reachable ? ProbePatiently() : token->Reopen();
    if (was_reachable && !alive) {
      health.reachable.store(false);
      logger.Log(LogLevel::kError, "keyring", "token lost", {{"cause", alive.error().cause}});
      if (on_token_change) on_token_change(false, alive.error().cause);
      return Lost();
    }
    if (!was_reachable && alive) {
      health.generation.fetch_add(1);
      health.reachable.store(true);
      logger.Log(LogLevel::kInfo, "keyring", "token is back");
      if (on_token_change) on_token_change(true, "");
    }
    return alive ? Status{} : Status{Lost()};
  }

  Status Carry(const std::function<Status(CustodianTurn&)>& run) {
    CustodianTurn turn(*token);
    Status outcome = run(turn);
    if (!outcome && outcome.error().code == Code::kTokenLost && health.reachable.load()) {
      static_cast<void>(Probe());
    }
    return outcome;
  }

  void Execute(Work& work) {
    Status outcome = work.even_when_lost || health.reachable.load() ? Carry(work.run) : Lost();
    const MutexLock lock(mutex);
    work.outcome = std::move(outcome);
    work.stage = Stage::kDone;
    done.NotifyAll();
  }

  void RunDueJobs(Steady::time_point now) {
    std::vector<std::function<void(SystemTime)>> due;
    {
      const MutexLock lock(mutex);
      for (PeriodicJob& job : jobs) {
        if (job.due > now) continue;
        job.due = now + job.period;
        due.push_back(job.run);
      }
    }
    for (const auto& job : due) {
      at_work->Begin(Steady::now());
      job(clock.Now());
    }
  }

  Steady::time_point NextDue(Steady::time_point next_probe) const COFFER_REQUIRES(mutex) {
    Steady::time_point next = next_probe;
    for (const PeriodicJob& job : jobs) next = std::min(next, job.due);
    return next;
  }

  void Loop() {
    Steady::time_point next_probe = Steady::now() + options.probe_period;
    while (true) {
      std::shared_ptr<Work> work;
      {
        const MutexLock lock(mutex);
        const Steady::time_point until = NextDue(next_probe);
        while (!stopping && queue.empty() && wake.WaitUntil(mutex, until)) {
        }
        if (!queue.empty()) {
          work = std::move(queue.front());
          queue.pop_front();
          if (work->stage == Stage::kAbandoned) work.reset();
          if (work) work->stage = Stage::kRunning;
        } else if (stopping) {
          return;
        }
      }
      at_work->Begin(Steady::now());
      if (work) Execute(*work);
      const Steady::time_point now = Steady::now();
      if (now >= next_probe) {
        static_cast<void>(Probe());
        next_probe = now + options.probe_period;
      }
      RunDueJobs(now);
      at_work->End();
    }
  }
};

Custodian::Custodian(std::unique_ptr<Token> token, Options options, const Clock& clock,
                     Logger& logger)
    : impl_(std::make_unique<Impl>(std::move(token), options, clock, logger)) {}

Custodian::~Custodian() { Stop(); }

void Custodian::AddPeriodic(std::string name, std::chrono::milliseconds period,
                            std::function<void(SystemTime now)> job) {
  const MutexLock lock(impl_->mutex);
  impl_->jobs.push_back({std::move(name), period, std::move(job), Steady::now() + period});
}

void Custodian::OnTokenChange(
    std::function<void(bool reachable, std::string_view cause)> on_change) {
  impl_->on_token_change = std::move(on_change);
}

void Custodian::Start() {
  impl_->started = true;
  impl_->thread = std::thread([impl = impl_.get()] { impl->Loop(); });
}

void Custodian::Stop() {
  {
    const MutexLock lock(impl_->mutex);
    impl_->stopping = true;
    impl_->wake.NotifyOne();
  }
  if (impl_->thread.joinable()) impl_->thread.join();
}

Status Custodian::Run(std::function<Status(CustodianTurn&)> work, std::chrono::milliseconds wait) {
  if (!impl_->health.reachable.load()) return Lost();
  if (impl_->OnOwnThread() || !impl_->started) return impl_->Carry(work);
  COFFER_ASSIGN(const auto queued, impl_->Enqueue(std::move(work), false));
  const Steady::time_point until = Steady::now() + wait;
  const MutexLock lock(impl_->mutex);
  while (queued->stage != Impl::Stage::kDone && impl_->done.WaitUntil(impl_->mutex, until)) {
  }
  if (queued->stage == Impl::Stage::kQueued) {
    queued->stage = Impl::Stage::kAbandoned;
    return Fail(Code::kUnavailable, "key changes are waiting for the token: try again");
  }
  // Work that has begun uses variables of its caller, so the caller must wait until it ends,
  // however long that takes.
  while (queued->stage != Impl::Stage::kDone) impl_->done.Wait(impl_->mutex);
  return std::move(queued->outcome);
}

void Custodian::Post(std::function<Status(CustodianTurn&)> work) {
  if (const auto queued = impl_->Enqueue(std::move(work), false); !queued) {
    impl_->logger.Log(LogLevel::kWarn, "keyring", "work dropped",
                      {{"reason", queued.error().message}});
  }
}

Status Custodian::Submit(std::function<Status(CustodianTurn&)> work) {
  COFFER_TRY(impl_->Enqueue(std::move(work), true));
  return {};
}

Status Custodian::ProbeNow() {
  if (impl_->OnOwnThread() || !impl_->started) return impl_->Probe();
  const Steady::time_point until = Steady::now() + impl_->options.probe_wait;
  const MutexLock lock(impl_->mutex);
  COFFER_ASSIGN(const auto probe, impl_->QueuedProbe());
  while (probe->stage != Impl::Stage::kDone && impl_->done.WaitUntil(impl_->mutex, until)) {
  }
  return probe->stage == Impl::Stage::kDone ? probe->outcome : Status{Lost()};
}

const TokenHealth& Custodian::Health() const { return impl_->health; }

std::shared_ptr<const WorkClock> Custodian::Work() const { return impl_->at_work; }

std::size_t Custodian::Waiting() const {
  const MutexLock lock(impl_->mutex);
  return impl_->queue.size();
}

}  // namespace coffer::keyring
