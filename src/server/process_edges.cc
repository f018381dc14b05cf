#include "server/process_edges.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

namespace coffer::server {
namespace {

// Descriptors for libraries, database, audit files, listeners, and files that a module opens for a
// moment.
constexpr std::size_t kReserved = 96;
// Descriptors of one worker: poller, wake-up, clock, and its own instance of the module.
constexpr std::size_t kReservedPerWorker = 16;
constexpr std::size_t kFewestConnections = 16;

std::size_t ReservedFor(const Config& config) {
  const std::size_t health = config.health_listeners.empty() ? 0 : kHealthConnections;
  return kReserved + kReservedPerWorker * (config.http.workers + 1) + health;
}

// The beginnings of the names of environment variables that the loader, the allocator or a library
// reads.
constexpr std::array<std::string_view, 7> kSteering{
    "LD_", "GLIBC_TUNABLES=", "MALLOC_", "OPENSSL_", "SQLITE_", "P11_KIT_", "NSS_"};

std::string SteeringVariables(const Config& config) {
  std::string names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string_view name = text.substr(0, equals);
    const bool steers = std::ranges::any_of(
        kSteering, [&](std::string_view begin) { return text.starts_with(begin); });
    // The file that the configuration names overrides this variable.
    const bool outdone = name == "SOFTHSM2_CONF" && !config.softhsm_config.empty() &&
                         text.substr(std::min(equals + 1, text.size())) != config.softhsm_config;
    if (steers || outdone) names.append(names.empty() ? "" : " ").append(name);
  }
  return names;
}

struct MemoryLimit {
  std::uint64_t bytes = UINT64_MAX;
  std::string_view where;
};

void Lower(MemoryLimit& limit, std::uint64_t bytes, std::string_view where) {
  if (bytes < limit.bytes) limit = {bytes, where};
}

// A control group's limit, its own or one of those around it.
void LowerToGroups(MemoryLimit& limit) {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const bool unified = line.starts_with("0::");
    if (!unified && line.find(":memory:") == std::string::npos) continue;
    const std::filesystem::path root = unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const char* const file = unified ? "memory.max" : "memory.limit_in_bytes";
    std::filesystem::path group = line.substr(line.rfind(':') + 1);
    while (true) {
      std::ifstream in(root / group.relative_path() / file);
      if (std::uint64_t bytes = 0; in >> bytes) Lower(limit, bytes, "control group");
      if (!group.has_relative_path()) break;
      group = group.parent_path();
    }
  }
}

MemoryLimit FindMemoryLimit() {
  MemoryLimit limit;
  for (const auto& [resource, name] :
       {std::pair{RLIMIT_AS, "RLIMIT_AS"}, std::pair{RLIMIT_DATA, "RLIMIT_DATA"}}) {
    rlimit found{};
    if (::getrlimit(resource, &found) == 0 && found.rlim_cur != RLIM_INFINITY) {
      Lower(limit, found.rlim_cur, name);
    }
  }
  LowerToGroups(limit);
  return limit;
}

// The sum of what the settings allow: caches, buffers, SoftHSM's objects and the program itself.
std::uint64_t MemoryWanted(const Config& config) {
  constexpr std::uint64_t kProgram = 64UL * 1024 * 1024;
  constexpr std::uint64_t kForEachHandle = 7'500;
  return kProgram + config.http.max_buffered_bytes + config.cache_limits.key_bytes +
         (config.http.workers + 1) * config.cache_limits.handles * kForEachHandle;
}

}  // namespace

void SettleProcess() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // open() returns the lowest free number, which is this one. It is opened for the wrong
    // direction, so that each use of the stream fails.
    static_cast<void>(::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY));
  }
  std::signal(SIGXFSZ, SIG_IGN);
}

void WarnOfSurroundings(const Config& config, Logger& logger) {
  if (const std::string names = SteeringVariables(config); !names.empty()) {
    logger.Log(
        LogLevel::kWarn, "server",
        "the environment changes what libraries do, or says otherwise than the configuration",
        {{"variables", names}});
  }
  const MemoryLimit limit = FindMemoryLimit();
  const std::uint64_t wanted = MemoryWanted(config);
  if (limit.bytes >= wanted) return;
  logger.Log(LogLevel::kWarn, "server",
             "the process may use less memory than its settings allow to be used: raise the limit, "
             "or lower max_buffered_bytes, max_cached_key_bytes, max_key_handles or workers",
             {{"limit", static_cast<std::int64_t>(limit.bytes)},
              {"set_by", limit.where},
              {"settings_allow", static_cast<std::int64_t>(wanted)}});
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
