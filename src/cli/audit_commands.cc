// coffer audit enable, list and disable: the server's audit devices. The commands on audit files
// are server/audit_command.h's.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/invocation.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

int Enable(Invocation& call) {
  const std::string type = call.words.front();
  const std::string path = MountOf(call.Get("path", type));
  const auto options = BodyOf(call.words, 1);
  if (!options) return Complain(options.error().message, kLocalFailure);
  const json body{
      {"type", type}, {"description", call.Get("description")}, {"options", json::parse(*options)}};
  return Exchange(call, "PUT", "sys/audit/" + path, body.dump(),
                  "Success! Enabled the " + type + " audit device at: " + path + "/");
}

int List(Invocation& call) {
  int code = kDone;
  const auto answer = Ask(call, "GET", "sys/audit", "", code);
  if (!answer) return code;
  const json devices = json::parse(answer->body).at("data");
  if (call.format != Format::kTable || !call.field.empty()) return Show(call, devices.dump());
  if (devices.empty()) {
    std::printf("No audit devices are enabled.\n");
    return kDone;
  }
  const bool detailed = call.Has("detailed");
  std::vector<std::string> heads{"Path", "Type", "Description"};
  if (detailed) heads.emplace_back("Options");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [path, info] : devices.items()) {
    auto& row = rows.emplace_back();
    row = {path, info.value("type", ""), info.value("description", "")};
    if (!detailed) continue;
    const json given = info.value("options", json::object());
    std::string& options = row.emplace_back();
    for (const auto& [name, value] : given.items()) {
      options += (options.empty() ? "" : " ") + name + "=" +
                 (value.is_string() ? value.get<std::string>() : value.dump());
    }
  }
  std::fputs(Columns(heads, rows).c_str(), stdout);
  return kDone;
}

int Disable(Invocation& call) {
  const std::string path = MountOf(call.words.front());
  return Exchange(call, "DELETE", "sys/audit/" + path, "",
                  "Success! Disabled audit device (if it was enabled) at: " + path + "/");
}

}  // namespace

std::vector<Command> AuditCommands() {
  return {{"audit enable",
           "[-path=PATH] [-description=TEXT] TYPE [NAME=VALUE ...]",
           "record every request in one more device: file file_path=NAME",
           {{"path", false, "its name (default: its type)"},
            {"description", false, "a note for people"}},
           1,
           100,
           Enable},
          {"audit list",
           "[-detailed]",
           "the enabled audit devices",
           {{"detailed", true, "with their options"}},
           0,
           0,
           List},
          {"audit disable", "PATH", "record no more in this device", {}, 1, 1, Disable}};
}

}  // namespace coffer::cli
