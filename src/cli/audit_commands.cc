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
  std::printf("%-24s %-12s %s\n", "Path", "Type", "Description");
  std::printf("%-24s %-12s %s\n", "----", "----", "-----------");
  for (const auto& [path, info] : devices.items()) {
    std::printf("%-24s %-12s %s\n", path.c_str(), info.value("type", "").c_str(),
                info.value("description", "").c_str());
  }
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
          {"audit list", "", "the enabled audit devices", {}, 0, 0, List},
          {"audit disable", "PATH", "record no more in this device", {}, 1, 1, Disable}};
}

}  // namespace coffer::cli
