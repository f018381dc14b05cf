// coffer secrets: the mount table.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "cli/exchange.h"
#include "cli/key_values.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using Kind = Flag::Kind;

void AddLists(const Invocation& call, json& out) {
  for (const std::string_view flag : {"audit-non-hmac-request-keys", "audit-non-hmac-response-keys",
                                      "passthrough-request-headers", "allowed-response-headers"}) {
    if (call.Has(flag)) out[UnderScored(flag)] = call.flags.find(flag)->second;
  }
}

json Tuning(const Invocation& call) {
  json settings = json::object();
  AddPlain(call, {"default-lease-ttl", "max-lease-ttl", "listing-visibility"}, settings);
  AddLists(call, settings);
  return settings;
}

void AddOptions(const Invocation& call, json& out) {
  json options = json::object();
  if (const auto given = call.flags.find("options"); given != call.flags.end()) {
    for (const std::string& pair : given->second) {
      const std::size_t equals = pair.find('=');
      options[pair.substr(0, equals)] = pair.substr(equals + 1);
    }
  }
  if (call.Has("version")) options["version"] = call.Get("version");
  if (!options.empty()) out["options"] = options;
}

int Enable(Invocation& call) {
  std::string type = call.words.front();
  if (type == "plugin") {
    type = call.Get("plugin-name");
    if (type.empty()) {
      return Complain("Must specify -plugin-name when using \"plugin\" as a type", kLocalFailure);
    }
  }
  const std::string path = MountPathOf(call, type);
  json config = Tuning(call);
  if (call.Has("force-no-cache")) config["force_no_cache"] = true;
  json body{{"type", type}, {"description", call.Get("description")}, {"config", config}};
  AddPlain(call, {"plugin-version"}, body);
  for (const std::string_view flag : {"local", "seal-wrap", "external-entropy-access"}) {
    if (call.Has(flag)) body[UnderScored(flag)] = true;
  }
  AddOptions(call, body);
  return Exchange(call, {"POST", "sys/mounts/" + path, body.dump(), "Error enabling"},
                  "Success! Enabled the " + type + " secrets engine at: " + path + "/");
}

std::string TextOf(const json& info, const char* name) { return CellOf(MemberOf(info, name, "")); }

// The default or longest life of leases, as Vault's client shows it: "system" if the mount does not
// set it.
std::string LifeOf(const json& info, const char* name) {
  const std::string type = TextOf(info, "type");
  if (type == "system" || type == "cubbyhole") return "n/a";
  const json seconds = MemberOf(MemberOf(info, "config", json::object()), name, 0);
  return seconds == 0 ? "system" : CellOf(seconds);
}

std::vector<std::string> DetailsOf(const std::string& path, const json& info) {
  const auto flag = [&](const json& holder, const char* name) {
    return CellOf(MemberOf(holder, name, false));
  };
  return {path,
          TextOf(info, "type"),
          TextOf(info, "accessor"),
          LifeOf(info, "default_lease_ttl"),
          LifeOf(info, "max_lease_ttl"),
          flag(MemberOf(info, "config", json::object()), "force_no_cache"),
          flag(info, "local") == "true" ? "local" : "replicated",
          flag(info, "seal_wrap"),
          flag(info, "external_entropy_access"),
          CellOf(MemberOf(info, "options", json::object())),
          TextOf(info, "description"),
          TextOf(info, "uuid"),
          TextOf(info, "plugin_version"),
          TextOf(info, "running_plugin_version"),
          TextOf(info, "running_sha256"),
          TextOf(info, "deprecation_status")};
}

int ListMounts(Invocation& call) {
  int code = kDone;
  const auto answer = Ask(call, {"GET", "sys/mounts", "", "Error listing secrets engines"}, code);
  if (!answer) return code;
  if (call.format == Format::kRaw) return Show(call, answer->body);
  const json mounts = json::parse(answer->body).at("data");
  if (call.format != Format::kTable) return ShowDocument(call, mounts);
  const bool detailed = call.Has("detailed");
  std::vector<std::string> heads{"Path", "Type", "Accessor", "Description"};
  if (detailed) {
    heads = {"Path",
             "Plugin",
             "Accessor",
             "Default TTL",
             "Max TTL",
             "Force No Cache",
             "Replication",
             "Seal Wrap",
             "External Entropy Access",
             "Options",
             "Description",
             "UUID",
             "Version",
             "Running Version",
             "Running SHA256",
             "Deprecation Status"};
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [path, info] : mounts.items()) {
    rows.push_back(detailed ? DetailsOf(path, info)
                            : std::vector{path, TextOf(info, "type"), TextOf(info, "accessor"),
                                          TextOf(info, "description")});
  }
  std::fputs(Columns(heads, rows).c_str(), stdout);
  return kDone;
}

int Tune(Invocation& call) {
  const std::string path = PathOf(call.words.front());
  json settings = Tuning(call);
  AddPlain(call, {"description", "plugin-version"}, settings);
  AddOptions(call, settings);
  return Exchange(call,
                  {"POST", "sys/mounts/" + path + "/tune", settings.dump(),
                   "Error tuning secrets engine " + path + "/"},
                  "Success! Tuned the secrets engine at: " + path + "/");
}

// How the move ended: "success" or "failure".
std::optional<std::string> AwaitMove(const Invocation& call, const std::string& id,
                                     const std::string& failure, int& code) {
  constexpr std::chrono::milliseconds kBetween{100};
  while (true) {
    const auto answer = Ask(call, {"GET", "sys/remount/status/" + id, "", failure}, code);
    if (!answer) return std::nullopt;
    const json parsed = json::parse(answer->body);
    const std::string state = parsed.at("data").at("migration_info").at("status");
    if (state != "in-progress") return state;
    std::this_thread::sleep_for(kBetween);
  }
}

int Move(Invocation& call) {
  const std::string from = PathOf(call.words[0]) + "/";
  const std::string to = PathOf(call.words[1]) + "/";
  const std::string failure = "Error moving secrets engine " + from + " to " + to;
  int code = kDone;
  const json body{{"from", PathOf(from)}, {"to", PathOf(to)}};
  const auto answer = Ask(call, {"POST", "sys/remount", body.dump(), failure}, code);
  if (!answer) return code;
  const std::string id = json::parse(answer->body).at("data").at("migration_id");
  const std::string move = " secrets engine " + from + " to " + to + ", with migration ID " + id;
  Say(call, "Started moving" + move);
  Say(call, "Waiting for terminal status in migration of" + move);
  const auto state = AwaitMove(call, id, failure, code);
  if (!state) return code;
  if (*state != "success") {
    return Complain("Failure! Error encountered moving" + move, kRemoteFailure);
  }
  Say(call, "Success! Finished moving" + move);
  return kDone;
}

int Disable(Invocation& call) {
  const std::string path = PathOf(call.words.front());
  return Exchange(
      call, {"DELETE", "sys/mounts/" + path, "", "Error disabling secrets engine at " + path + "/"},
      "Success! Disabled the secrets engine (if it existed) at: " + path + "/");
}

std::vector<Flag> TuningFlags() {
  return {
      {"description", Kind::kText, "a note for people"},
      {"default-lease-ttl", Kind::kDuration, "kept for clients"},
      {"max-lease-ttl", Kind::kDuration, "kept for clients"},
      {"listing-visibility", Kind::kText, "unauth, hidden or empty"},
      {"audit-non-hmac-request-keys", Kind::kText, "a member not hashed in the audit trail; often"},
      {"audit-non-hmac-response-keys", Kind::kText, "as above, of answers"},
      {"passthrough-request-headers", Kind::kText, "a header the engine may see; often"},
      {"allowed-response-headers", Kind::kText, "a header the engine may set; often"},
      {"options", Kind::kPair, "NAME=VALUE, one of the engine's options; often"},
      {"version", Kind::kNumber, "as -options=version=NUMBER"},
      {"plugin-version", Kind::kText, "kept for clients"}};
}

}  // namespace

std::vector<Command> SecretsCommands() {
  std::vector<Flag> enabling = TuningFlags();
  enabling.insert(enabling.end(),
                  {{"path", Kind::kText, "where to mount it (default: its type)"},
                   {"plugin-name", Kind::kText, "the type, where TYPE is \"plugin\""},
                   {"local", Kind::kSwitch, "not replicated"},
                   {"seal-wrap", Kind::kSwitch, "sealed once more"},
                   {"external-entropy-access", Kind::kSwitch, "kept for clients"},
                   {"force-no-cache", Kind::kSwitch, "kept for clients"}});
  return {
      {.name = "secrets enable",
       .synopsis = "[-path=PATH] [-description=TEXT] ... TYPE",
       .help = "mount a secrets engine",
       .examples =
           "coffer secrets enable transit\n"
           "coffer secrets enable -path=team/orders -description=\"of the orders team\" transit",
       .flags = enabling,
       .least = 1,
       .most = 1,
       .run = Enable},
      {.name = "secrets list",
       .synopsis = "[-detailed]",
       .help = "the mounted secrets engines",
       .examples = "coffer secrets list\ncoffer secrets list -detailed",
       .flags = {{"detailed", Kind::kSwitch, "with their settings"}},
       .shows = Shows::kFormats,
       .run = ListMounts},
      {.name = "secrets tune",
       .synopsis = "[-description=TEXT] ... PATH",
       .help = "change a mount's settings",
       .examples = "coffer secrets tune -description=\"of the orders team\" team/orders",
       .flags = TuningFlags(),
       .least = 1,
       .most = 1,
       .run = Tune},
      {.name = "secrets move",
       .synopsis = "FROM TO",
       .help = "mount a secrets engine elsewhere; its keys stay",
       .examples = "coffer secrets move team/orders orders",
       .least = 2,
       .most = 2,
       .run = Move},
      {.name = "secrets disable",
       .synopsis = "PATH",
       .help = "unmount a secrets engine and destroy its keys",
       .examples = "coffer secrets disable team/orders",
       .least = 1,
       .most = 1,
       .run = Disable}};
}

}  // namespace coffer::cli
