#include "server/supervisor.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <string>

namespace coffer::server {

void Supervisor::Say(std::string_view state) { ::sd_notify(0, std::string(state).c_str()); }

std::chrono::microseconds Supervisor::AlivePeriod() {
  std::uint64_t allowed = 0;
  if (::sd_watchdog_enabled(0, &allowed) <= 0) return {};
  return std::chrono::microseconds(static_cast<std::int64_t>(allowed / 2));
}

}  // namespace coffer::server
