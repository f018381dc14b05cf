#include "server/supervisor.h"

#include <systemd/sd-daemon.h>

#include <cstdint>

namespace coffer::server {

void Supervisor::Notify(const std::string& state) { ::sd_notify(0, state.c_str()); }

std::chrono::microseconds Supervisor::AlivePeriod() {
  std::uint64_t allowed = 0;
  if (::sd_watchdog_enabled(0, &allowed) <= 0) return {};
  return std::chrono::microseconds(static_cast<std::int64_t>(allowed / 2));
}

}  // namespace coffer::server
