#include "server/process_edges.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <string>

namespace coffer::server {
namespace {

// Libraries, database, audit files, listeners, and what a module opens for a moment.
constexpr std::size_t kReserved = 96;
// Poller, wake-up, clock, and its own instance of the module.
constexpr std::size_t kReservedPerWorker = 16;
constexpr std::size_t kFewestConnections = 16;

std::size_t ReservedFor(const Config& config) {
  const std::size_t health = config.health_listeners.empty() ? 0 : kHealthConnections;
  return kReserved + kReservedPerWorker * (config.http.workers + 1) + health;
}

}  // namespace

void SettleProcess() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // The lowest free number is this one. It can be written only where it is to be read, and the
    // other way round.
    static_cast<void>(::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY));
  }
  std::signal(SIGXFSZ, SIG_IGN);
}

Result<http::Options> FitConnections(const Config& config, Logger& logger) {
  http::Options options = config.http;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return options;
  const auto may_open = static_cast<std::size_t>(files.rlim_cur);
  const std::size_t reserved = ReservedFor(config);
  if (may_open < reserved + kFewestConnections) {
    return Fail(Code::kInvalid, "the process may open " + std::to_string(may_open) +
                                    " files and needs " +
                                    std::to_string(reserved + kFewestConnections) +
                                    ": raise the limit (ulimit -n, LimitNOFILE=)");
  }
  const std::size_t room = may_open - reserved;
  if (options.max_connections <= room) return options;
  logger.Log(LogLevel::kWarn, "server",
             "fewer connections than max_connections: the process may not open more files",
             {{"connections", static_cast<std::int64_t>(room)},
              {"max_connections", static_cast<std::int64_t>(options.max_connections)},
              {"may_open", static_cast<std::int64_t>(may_open)},
              {"kept_apart", static_cast<std::int64_t>(reserved)}});
  options.max_connections = room;
  return options;
}

}  // namespace coffer::server
