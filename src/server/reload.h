#pragma once

#include <functional>
#include <string>
#include <vector>

#include "coffer/base/result.h"
#include "server/config/config.h"
#include "server/log/log_levels.h"

namespace coffer::server {

// Reads the configuration once more from where this server's came; empty where there is no file.
using ReadAgain = std::function<Result<Config>()>;

// A setting that stands otherwise in two configurations, as EffectiveSettings() writes it.
struct ChangedSetting {
  std::string name;     // "drain_timeout", "limits.max_connections", "listener \"tcp\" 2.address"
  std::string running;  // empty: it was not there
  std::string configured;  // empty: it is not there any more
  friend bool operator==(const ChangedSetting&, const ChangedSetting&) = default;
};
std::vector<ChangedSetting> CompareSettings(const Config& running, const Config& configured);

// Takes over what a running server can and logs a line for each changed setting: it is in force
// now, or it needs a restart. A configuration that cannot be read changes nothing.
void ReloadSettings(const ReadAgain& read_again, Config& running, LeveledLog& log);

}  // namespace coffer::server
