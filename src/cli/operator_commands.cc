// coffer operator backup: asks the running server for one.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "cli/exchange.h"
#include "coffer/base/progress_line.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

int Backup(Invocation& call) {
  constexpr milliseconds kLongestWait{1000};
  const std::string& name = call.words.front();
  if (name.empty() || name.find('/') != std::string::npos) {
    return Complain("\"" + name +
                        "\" is no plain name: the server writes backups into its "
                        "backup_directory",
                    kLocalFailure);
  }
  const std::string path = "sys/backup/" + name;
  const std::string failure = "Error making the backup";
  const json body{{"overwrite", call.Has("force")}};
  int code = kDone;
  auto answer = Ask(call, {"POST", path, body.dump(), failure}, code);
  if (!answer) return code;
  json state = json::parse(answer->body).at("data");
  {
    ProgressLine line("copying the database");
    milliseconds wait{25};
    while (state.at("state") == "running") {
      line.Show(state.at("pages_done").get<std::int64_t>(),
                state.at("pages_total").get<std::int64_t>());
      std::this_thread::sleep_for(wait);
      wait = std::min(wait * 2, kLongestWait);
      answer = Ask(call, {"GET", path, "", failure, true}, code);
      if (!answer) return code;
      if (answer->status == 404) {
        return Complain(
            "another backup was started, or the server anew: the audit trail says whether this one "
            "was made",
            kRemoteFailure);
      }
      state = json::parse(answer->body).at("data");
    }
  }
  if (state.at("state") != "done") {
    return Complain("the backup failed: " + state.value("error", "no reason was given"),
                    kRemoteFailure);
  }
  return Show(call, answer->body);
}

}  // namespace

std::vector<Command> OperatorCommands() {
  return {
      {.name = "operator backup",
       .synopsis = "[-force] NAME | -offline [-config=CONFIG] [-force] FILE",
       .help = "have the running server write a backup into its backup_directory; with "
               "-offline: back up a stopped server",
       .examples = "coffer operator backup monday\n"
                   "coffer operator backup -offline /backups/monday",
       .flags = {{"force", Flag::Kind::kSwitch, "overwrite a backup of this name"},
                 {"offline", Flag::Kind::kSwitch,
                  "on the server's machine, while it is stopped: -offline -help has its flags"}},
       .shows = Shows::kFields,
       .least = 1,
       .most = 1,
       .run = Backup}};
}

}  // namespace coffer::cli
