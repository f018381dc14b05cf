// coffer secrets: the mount table.

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/invocation.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// The tuning flags that were given, as the API calls them.
json Tuning(const Invocation& call) {
  json settings = json::object();
  for (const auto& [flag, name] : {std::pair{"default-lease-ttl", "default_lease_ttl"},
                                   std::pair{"max-lease-ttl", "max_lease_ttl"},
                                   std::pair{"listing-visibility", "listing_visibility"}}) {
    if (call.Has(flag)) settings[name] = call.Get(flag);
  }
  return settings;
}

int Enable(Invocation& call) {
  const std::string type = call.words.front();
  const std::string path = MountOf(call.Get("path", type));
  json body{{"type", type}, {"description", call.Get("description")}, {"config", Tuning(call)}};
  return Exchange(call, "POST", "sys/mounts/" + path, body.dump(),
                  "Success! Enabled the " + type + " secrets engine at: " + path + "/");
}

// As Vault's client calls a time that nobody set.
std::string SecondsOf(const json& tuning, const char* name) {
  const std::int64_t seconds = tuning.value(name, std::int64_t{0});
  return seconds == 0 ? "system" : std::to_string(seconds);
}

int List(Invocation& call) {
  int code = kDone;
  const auto answer = Ask(call, "GET", "sys/mounts", "", code);
  if (!answer) return code;
  const json mounts = json::parse(answer->body).at("data");
  if (call.format != Format::kTable || !call.field.empty()) return Show(call, mounts.dump());
  const bool detailed = call.Has("detailed");
  std::vector<std::string> heads{"Path", "Type", "Accessor"};
  if (detailed) heads.insert(heads.end(), {"Default TTL", "Max TTL", "UUID"});
  heads.emplace_back("Description");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [path, info] : mounts.items()) {
    auto& row = rows.emplace_back();
    row = {path, info.value("type", ""), info.value("accessor", "")};
    if (detailed) {
      const json tuning = info.value("config", json::object());
      row.insert(row.end(), {SecondsOf(tuning, "default_lease_ttl"),
                             SecondsOf(tuning, "max_lease_ttl"), info.value("uuid", "")});
    }
    row.push_back(info.value("description", ""));
  }
  std::fputs(Columns(heads, rows).c_str(), stdout);
  return kDone;
}

int Tune(Invocation& call) {
  const std::string path = MountOf(call.words.front());
  json settings = Tuning(call);
  if (call.Has("description")) settings["description"] = call.Get("description");
  if (settings.empty())
    return Complain("nothing to tune: see coffer secrets tune -help", kLocalFailure);
  return Exchange(call, "POST", "sys/mounts/" + path + "/tune", settings.dump(),
                  "Success! Tuned the secrets engine at: " + path + "/");
}

int Move(Invocation& call) {
  const std::string from = MountOf(call.words[0]);
  const std::string to = MountOf(call.words[1]);
  int code = kDone;
  const auto answer =
      Ask(call, "POST", "sys/remount", json{{"from", from}, {"to", to}}.dump(), code);
  if (!answer) return code;
  std::printf("Success! Moved secrets engine %s/ to: %s/\n", from.c_str(), to.c_str());
  return kDone;
}

int Disable(Invocation& call) {
  const std::string path = MountOf(call.words.front());
  return Exchange(call, "DELETE", "sys/mounts/" + path, "",
                  "Success! Disabled the secrets engine (if it existed) at: " + path + "/");
}

}  // namespace

std::vector<Command> SecretsCommands() {
  std::vector<Flag> tuning{{"description", false, "a note for people"},
                           {"default-lease-ttl", false, "kept for clients"},
                           {"max-lease-ttl", false, "kept for clients"},
                           {"listing-visibility", false, "unauth, hidden or empty"}};
  std::vector<Flag> enabling = tuning;
  enabling.push_back({"path", false, "where to mount it (default: its type)"});
  return {{"secrets enable", "[-path=PATH] [-description=TEXT] TYPE", "mount a secrets engine",
           enabling, 1, 1, Enable},
          {"secrets list",
           "[-detailed]",
           "the mounted secrets engines",
           {{"detailed", true, "with their times to live and ids"}},
           0,
           0,
           List},
          {"secrets tune", "[-description=TEXT] ... PATH", "change a mount's settings", tuning, 1,
           1, Tune},
          {"secrets move",
           "FROM TO",
           "mount a secrets engine elsewhere; its keys stay",
           {},
           2,
           2,
           Move},
          {"secrets disable",
           "PATH",
           "unmount a secrets engine and destroy its keys",
           {},
           1,
           1,
           Disable}};
}

}  // namespace coffer::cli
