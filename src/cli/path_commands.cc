// Commands on any path of the API.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/exchange.h"
#include "cli/key_values.h"

namespace coffer::cli {
namespace {

using Kind = Flag::Kind;

int Read(Invocation& call) {
  const auto query = QueryOf(call.words, 1);
  if (!query) return Complain(query.error().message, kLocalFailure);
  return ExchangeRead(call, PathOf(call.words.front()), *query);
}

int ListBy(Invocation& call, std::string_view verb) {
  const auto query = QueryOf(call.words, 1);
  if (!query) return Complain(query.error().message, kLocalFailure);
  return ExchangeList(call, PathOf(call.words.front()), *query, verb);
}

int ListPath(Invocation& call) { return ListBy(call, "list"); }
int Scan(Invocation& call) { return ListBy(call, "scan"); }

int WithBody(Invocation& call, std::string_view method) {
  if (call.words.size() == 1 && !call.Has("force") && !call.Has("f")) {
    return Complain("Must supply data or use -force", kLocalFailure);
  }
  const auto body = BodyOf(call.words, 1);
  if (!body) return Complain(body.error().message, kLocalFailure);
  const std::string path = PathOf(call.words.front());
  return Exchange(call, {method, path, *body, "Error writing data to " + path},
                  "Success! Data written to: " + path);
}

int Write(Invocation& call) { return WithBody(call, "PUT"); }
int Patch(Invocation& call) { return WithBody(call, "PATCH"); }

int Delete(Invocation& call) {
  const auto query = QueryOf(call.words, 1);
  if (!query) return Complain(query.error().message, kLocalFailure);
  const std::string path = PathOf(call.words.front());
  return Exchange(call, {"DELETE", path + *query, "", "Error deleting " + path},
                  "Success! Data deleted (if it existed) at: " + path);
}

int PathHelp(Invocation& call) {
  int code = kDone;
  const std::string path = PathOf(call.words.front());
  const auto answer = Ask(call, {"GET", path + "?help=1", "", "Error retrieving help"}, code);
  if (!answer) return code;
  const auto help = nlohmann::json::parse(answer->body, nullptr, false);
  if (!help.is_object()) return Show(call, answer->body);
  if (call.format != Format::kTable) return ShowDocument(call, help);
  std::printf("%s\n", help.value("help", "").c_str());
  return kDone;
}

}  // namespace

std::vector<Command> PathCommands() {
  const std::vector<Flag> force{{"force", Kind::kSwitch, "write without data"},
                                {"f", Kind::kSwitch, "as -force"}};
  return {
      {.name = "read",
       .synopsis = "PATH [NAME=VALUE ...]",
       .help = "read what is at PATH; NAME=VALUE are parameters of the query",
       .examples = "coffer read transit/keys/orders\n"
                   "coffer read -field=latest_version transit/keys/orders",
       .shows = Shows::kFields,
       .least = 1,
       .most = kAnyNumber,
       .run = Read},
      {.name = "write",
       .synopsis = "[-force] PATH [NAME=VALUE | @FILE | - ...]",
       .help = "write to PATH; a VALUE @FILE is read from a file, - from standard input, and alone "
               "they are a JSON object",
       .examples =
           "coffer write transit/keys/orders type=aes256-gcm96\n"
           "coffer write -f transit/keys/orders/rotate\n"
           "base64 < file | coffer write -field=ciphertext transit/encrypt/orders plaintext=-",
       .flags = force,
       .shows = Shows::kFields,
       .least = 1,
       .most = kAnyNumber,
       .run = Write},
      {.name = "patch",
       .synopsis = "PATH [NAME=VALUE | @FILE | - ...]",
       .help = "change some of what is at PATH",
       .examples = "coffer patch secret/data/app @changes.json",
       .flags = force,
       .shows = Shows::kFields,
       .least = 1,
       .most = kAnyNumber,
       .run = Patch},
      {.name = "list",
       .synopsis = "[-detailed] PATH [NAME=VALUE ...]",
       .help = "list what is under PATH",
       .examples = "coffer list transit/keys\ncoffer list -format=json transit/keys",
       .flags = {{"detailed", Kind::kSwitch, "with what the engine says of each, where it does"}},
       .shows = Shows::kFormats,
       .least = 1,
       .most = kAnyNumber,
       .run = ListPath},
      {.name = "scan",
       .synopsis = "PATH [NAME=VALUE ...]",
       .help = "list what is under PATH and all below it, where the engine can",
       .examples = "coffer scan secret/metadata",
       .shows = Shows::kFormats,
       .least = 1,
       .most = kAnyNumber,
       .run = Scan},
      {.name = "delete",
       .synopsis = "PATH [NAME=VALUE ...]",
       .help = "delete what is at PATH",
       .examples = "coffer delete transit/keys/orders",
       .shows = Shows::kFields,
       .least = 1,
       .most = kAnyNumber,
       .run = Delete},
      {.name = "path-help",
       .synopsis = "PATH",
       .help = "what the server says of PATH",
       .examples = "coffer path-help transit\ncoffer path-help transit/encrypt/orders",
       .shows = Shows::kFormats,
       .least = 1,
       .most = 1,
       .run = PathHelp}};
}

}  // namespace coffer::cli
