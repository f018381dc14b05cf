#include "server/run_server.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <ctime>

#include "server/instance.h"
#include "server/supervisor.h"

namespace coffer::server {
namespace {

// SIGHUP: Instance::Reload(). Others: the end.
sigset_t AwaitedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Serves signals until one says to stop, and tells the supervisor now and then that we are alive.
int AwaitStop(const sigset_t& signals, const ReadAgain& read_again, Instance& instance) {
  const auto period = Supervisor::AlivePeriod();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(period);
  const timespec patience{
      seconds.count(),
      std::chrono::duration_cast<std::chrono::nanoseconds>(period - seconds).count()};
  while (true) {
    int signal = 0;
    if (period.count() > 0) {
      Supervisor::Alive();
      signal = ::sigtimedwait(&signals, nullptr, &patience);
    } else {
      ::sigwait(&signals, &signal);
    }
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
  Instance instance(config, random, logger);
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
