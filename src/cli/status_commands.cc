// Commands about the server as a whole.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/demo.h"
#include "cli/exchange.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Kind = Flag::Kind;

constexpr const char* kOtherForm = "the server's answer has another form than expected";

// True if the server says that it is one of several. A client that reaches it through a load
// balancer cannot see that by itself.
bool IsHighlyAvailable(VaultClient& client) {
  const auto answer = client.Call("GET", "sys/leader");
  const json leader =
      answer && answer->status == 200 ? json::parse(answer->body, nullptr, false) : json();
  return leader.is_object() && leader.value("ha_enabled", false);
}

std::string StatusTable(const json& status) {
  const auto text = [&](const char* name) {
    return status.contains(name) ? CellOf(status[name]) : std::string();
  };
  std::vector<std::vector<std::string>> rows{{"Seal Type", text("type")}};
  const bool recovery = status.value("recovery_seal", false);
  const bool sealed = status.value("sealed", true);
  rows.push_back({"Initialized", text("initialized")});
  rows.push_back({"Sealed", text("sealed")});
  rows.push_back({recovery ? "Total Recovery Shares" : "Total Shares", text("n")});
  rows.push_back({"Threshold", text("t")});
  if (sealed) {
    rows.push_back({"Unseal Progress", text("progress") + "/" + text("t")});
    rows.push_back({"Unseal Nonce", text("nonce")});
  }
  for (const auto& [head, name] :
       {std::pair{"Version", "version"}, std::pair{"Build Date", "build_date"},
        std::pair{"Storage Type", "storage_type"}, std::pair{"Cluster Name", "cluster_name"},
        std::pair{"Cluster ID", "cluster_id"}}) {
    if (!text(name).empty()) rows.push_back({head, text(name)});
  }
  rows.push_back({"HA Enabled", text("ha_enabled")});
  return Columns({"Key", "Value"}, rows);
}

int ShowStatus(Invocation& call) {
  constexpr std::string_view kFailure = "Error checking seal status";
  int code = kDone;
  const auto answer = Ask(call, {"GET", "sys/seal-status", "", std::string(kFailure)}, code);
  // The code 2 means sealed here, so an unreachable server is 1.
  if (!answer) return code == kRemoteFailure ? kLocalFailure : code;
  auto status = ordered_json::parse(answer->body, nullptr, false);
  if (!status.is_object() || !status.contains("sealed")) {
    return Complain(std::string(kFailure) + ": " + kOtherForm, kLocalFailure);
  }
  VaultClient client(call.target);
  status["ha_enabled"] = IsHighlyAvailable(client);
  const json plain = json::parse(status.dump());
  if (call.format == Format::kTable) {
    std::fputs(StatusTable(plain).c_str(), stdout);
  } else if (call.format == Format::kJson) {
    std::printf("%s\n", status.dump(2).c_str());
  } else if (const int shown = ShowDocument(call, plain); shown != kDone) {
    return shown;
  }
  return plain.value("sealed", true) ? kRemoteFailure : kDone;
}

int Demo(Invocation& call) {
  DemoOptions options;
  options.data_directory = call.Get("data");
  if (!call.words.empty()) options.file = call.words.front();
  VaultClient client(call.target);
  const auto done = RunDemo(client, options);
  return done ? kDone : Complain(done.error().message, kLocalFailure);
}

}  // namespace

std::vector<Command> StatusCommands() {
  return {
      {.name = "status",
       .help = "whether the server can be used: exit code 0, 2 where it is sealed, 1 where it is "
               "not reached",
       .examples = "coffer status\ncoffer status -format=json",
       .shows = Shows::kFormats,
       .run = ShowStatus},
      {.name = "demo",
       .synopsis = "[-data=DIR] [FILE]",
       .help = "encrypt, rotate, rewrap and decrypt the records of a file",
       .examples = "coffer demo\ncoffer demo -data=./data customers.csv",
       .flags = {{"data", Kind::kText, "search this directory for plaintext afterwards"}},
       .most = 1,
       .run = Demo}};
}

}  // namespace coffer::cli
