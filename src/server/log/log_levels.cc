#include "server/log/log_levels.h"

#include <algorithm>

namespace coffer::server {

void LogLevels::Set(const LogSettings& settings) {
  others_.store(settings.level, std::memory_order_relaxed);
  for (std::size_t i = 0; i < rooms_.size(); ++i) {
    const auto own = std::ranges::find_if(
        settings.rooms, [&](const auto& room) { return room.first == kLoggingRooms[i]; });
    rooms_[i].store(own == settings.rooms.end() ? settings.level : own->second,
                    std::memory_order_relaxed);
  }
}

bool LogLevels::Wants(LogLevel level, std::string_view room) const {
  const auto* const found = std::ranges::find(kLoggingRooms, room);
  const auto index = static_cast<std::size_t>(found - kLoggingRooms.begin());
  const std::atomic<LogLevel>& least = index == rooms_.size() ? others_ : rooms_[index];
  return level >= least.load(std::memory_order_relaxed);
}

}  // namespace coffer::server
