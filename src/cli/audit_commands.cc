// coffer audit enable, list and disable: the server's audit devices. The commands on audit files
// are server/audit_command.h's.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/exchange.h"
#include "cli/key_values.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using Kind = Flag::Kind;

int Enable(Invocation& call) {
  if (call.words.empty()) return Complain("Missing TYPE!", kLocalFailure);
  const std::string type = call.words.front();
  const std::string path = MountPathOf(call, type);
  const auto options = BodyOf(call.words, 1);
  if (!options) return Complain(options.error().message, kLocalFailure);
  json body{
      {"type", type}, {"description", call.Get("description")}, {"options", json::parse(*options)}};
  if (call.Has("local")) body["local"] = true;
  return Exchange(call, {"PUT", "sys/audit/" + path, body.dump(), "Error enabling audit device"},
                  "Success! Enabled the " + type + " audit device at: " + path + "/");
}

int ListDevices(Invocation& call) {
  int code = kDone;
  const auto answer = Ask(call, {"GET", "sys/audit", "", "Error listing audits"}, code);
  if (!answer) return code;
  if (call.format == Format::kRaw) return Show(call, answer->body);
  const json devices = json::parse(answer->body).at("data");
  if (call.format != Format::kTable) return ShowDocument(call, devices);
  if (devices.empty()) {
    Say(call, "No audit devices are enabled.");
    return kRemoteFailure;
  }
  const bool detailed = call.Has("detailed");
  std::vector<std::string> heads{"Path", "Type", "Description"};
  if (detailed) heads.insert(heads.end(), {"Replication", "Options"});
  std::vector<std::vector<std::string>> rows;
  for (const auto& [path, info] : devices.items()) {
    auto& row = rows.emplace_back();
    row = {path, info.value("type", ""), info.value("description", "")};
    if (!detailed) continue;
    row.emplace_back(info.value("local", false) ? "local" : "replicated");
    const json given = info.value("options", json::object());
    std::string& options = row.emplace_back();
    for (const auto& [name, value] : given.items()) {
      options += (options.empty() ? "" : " ") + name + "=" + CellOf(value);
    }
  }
  std::fputs(Columns(heads, rows).c_str(), stdout);
  return kDone;
}

int Disable(Invocation& call) {
  const std::string path = PathOf(call.words.front());
  return Exchange(call, {"DELETE", "sys/audit/" + path, "", "Error disabling audit device"},
                  "Success! Disabled audit device (if it was enabled) at: " + path + "/");
}

}  // namespace

std::vector<Command> AuditCommands() {
  return {{.name = "audit enable",
           .synopsis = "[-path=PATH] [-description=TEXT] TYPE [NAME=VALUE ...]",
           .help = "record every request in one more device",
           .examples = "coffer audit enable file file_path=second.log\n"
                       "coffer audit enable -path=second file file_path=second.log sync=always",
           .flags = {{"path", Kind::kText, "its name (default: its type)"},
                     {"description", Kind::kText, "a note for people"},
                     {"local", Kind::kSwitch, "kept for clients"}},
           .most = kAnyNumber,
           .run = Enable},
          {.name = "audit list",
           .synopsis = "[-detailed]",
           .help = "the enabled audit devices",
           .examples = "coffer audit list -detailed",
           .flags = {{"detailed", Kind::kSwitch, "with their options"}},
           .shows = Shows::kFormats,
           .run = ListDevices},
          {.name = "audit disable",
           .synopsis = "PATH",
           .help = "record no more in this device",
           .examples = "coffer audit disable second/",
           .least = 1,
           .most = 1,
           .run = Disable}};
}

}  // namespace coffer::cli
