#include "server/run_server.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>

#include "server/running_server.h"
#include "server/supervisor.h"

namespace coffer::server {
namespace {

// SIGHUP: RunningServer::Reload(). Others: the end.
sigset_t AwaitedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// A signal, or 0 after `patience`; without one it is waited for.
int NextSignal(const sigset_t& signals, std::chrono::microseconds patience) {
  if (patience.count() == 0) {
    int signal = 0;
    ::sigwait(&signals, &signal);
    return signal;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
  const timespec wait{
      seconds.count(),
      std::chrono::duration_cast<std::chrono::nanoseconds>(patience - seconds).count()};
  return ::sigtimedwait(&signals, nullptr, &wait);
}

// Serves signals until one says to stop, and tells the supervisor now and then that we are alive:
// not while a thread does not come back, so that it replaces a process that does not recover.
int AwaitStop(const sigset_t& signals, const ReadAgain& read_again, RunningServer& instance) {
  constexpr std::chrono::microseconds kSoon = std::chrono::seconds(1);
  const auto period = Supervisor::AlivePeriod();
  while (true) {
    const bool lively = instance.Lively();
    if (lively && period.count() > 0) Supervisor::Alive();
    const int signal = NextSignal(signals, lively ? period : std::min(period, kSoon));
    if (signal == SIGHUP) {
      instance.Reload(read_again);
    } else if (signal > 0) {
      return signal;
    }
  }
}

}  // namespace

void PrepareProcess() {
  ::umask(0077);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  // A connection is a descriptor; the usual soft limit of 1,024 is for programs that call select().
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    descriptors.rlim_cur = descriptors.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &descriptors);
  }
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  std::signal(SIGPIPE, SIG_IGN);  // a pipe whose reader left is an error of its write
}

Status RunServer(const Config& config, const ReadAgain& read_again, Random& random,
                 LeveledLog& logger) {
  const sigset_t awaited = AwaitedSignals();
  ::pthread_sigmask(SIG_BLOCK, &awaited, nullptr);  // first: threads inherit it
  RunningServer instance(config, random, logger);
  COFFER_TRY(instance.Start());
  instance.Announce();
  Supervisor::Ready();
  const int signal = AwaitStop(awaited, read_again, instance);
  Supervisor::Stopping();
  logger.Log(LogLevel::kInfo, "server", "draining", {{"signal", std::int64_t{signal}}});
  instance.Drain();
  return {};
}

}  // namespace coffer::server
