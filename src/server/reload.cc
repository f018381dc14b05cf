#include "server/reload.h"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "server/config/config_file.h"

namespace coffer::server {
namespace {

// A setting that is taken over without a restart.
struct Reloaded {
  std::string_view name;  // with a dot at its end: the whole block
  void (*take)(const Config& configured, Config& running);
  bool Names(std::string_view setting) const {
    return name.ends_with('.') ? setting.starts_with(name) : setting == name;
  }
};
constexpr std::array kReloaded{
    Reloaded{"drain_timeout",
             [](const Config& configured, Config& running) {
               running.drain_deadline = configured.drain_deadline;
             }},
    Reloaded{"log_level", [](const Config& configured,
                             Config& running) { running.log.level = configured.log.level; }},
    Reloaded{"log_levels.", [](const Config& configured,
                               Config& running) { running.log.rooms = configured.log.rooms; }},
};

const Reloaded* FindReloaded(const ChangedSetting& setting) {
  const auto* const found = std::ranges::find_if(
      kReloaded, [&](const Reloaded& reloaded) { return reloaded.Names(setting.name); });
  return found == kReloaded.end() ? nullptr : found;
}

using Settings = std::map<std::string, std::string>;

// The settings that EffectiveSettings() writes, by name. If several blocks have the same name, the
// second and later ones have their number after it.
Settings Flatten(const Config& config) {
  Settings settings;
  std::map<std::string, int> blocks;
  std::vector<std::string> open;  // the prefixes of the blocks that a line is within
  std::istringstream text(EffectiveSettings(config));
  for (std::string line; std::getline(text, line);) {
    constexpr std::string_view kOpens = " {";
    constexpr std::string_view kEquals = " = ";
    line.erase(0, line.find_first_not_of(' '));
    const std::string prefix = open.empty() ? "" : open.back();
    if (line == "}") {
      if (!open.empty()) open.pop_back();
    } else if (line.ends_with(kOpens)) {
      std::string block = prefix + line.substr(0, line.size() - kOpens.size());
      if (block.ends_with(" =")) block.resize(block.size() - 2);
      const int number = ++blocks[block];
      open.push_back(block + (number > 1 ? " " + std::to_string(number) : "") + ".");
    } else if (const std::size_t equals = line.find(kEquals); equals != std::string::npos) {
      settings[prefix + line.substr(0, equals)] = line.substr(equals + kEquals.size());
    }
  }
  return settings;
}

}  // namespace

std::vector<ChangedSetting> CompareSettings(const Config& running, const Config& configured) {
  const Settings before = Flatten(running);
  Settings after = Flatten(configured);
  std::vector<ChangedSetting> changed;
  for (const auto& [name, value] : before) {
    const auto found = after.find(name);
    const std::string now = found == after.end() ? "" : found->second;
    if (now != value) changed.push_back({name, value, now});
    if (found != after.end()) after.erase(found);
  }
  for (auto& [name, value] : after) changed.push_back({name, "", std::move(value)});
  return changed;
}

void ReloadSettings(const ReadAgain& read_again, Config& running, LeveledLog& log) {
  if (!read_again) return;
  const auto configured = read_again();
  if (!configured) {
    log.Log(LogLevel::kError, "server", "failed to read the configuration again",
            {{"reason", configured.error().message}, {"in use", "the one read before"}});
    return;
  }
  const auto changed = CompareSettings(running, *configured);
  for (const ChangedSetting& setting : changed) {
    if (const Reloaded* const reloaded = FindReloaded(setting))
      reloaded->take(*configured, running);
  }
  // The report is written if the former levels or the new ones let it through.
  if (!log.Wants(LogLevel::kInfo, "server")) log.SetLevels(running.log);
  for (const ChangedSetting& setting : changed) {
    const bool at_once = FindReloaded(setting) != nullptr;
    log.Log(at_once ? LogLevel::kInfo : LogLevel::kWarn, "server",
            at_once ? "a changed setting is in force" : "a changed setting needs a restart",
            {{"setting", setting.name},
             {"running", setting.running},
             {"configured", setting.configured}});
  }
  log.Log(LogLevel::kInfo, "server", "configuration read again",
          {{"changed", static_cast<std::int64_t>(changed.size())}});
  log.SetLevels(running.log);
}

}  // namespace coffer::server
