// Commands on any path of the API.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/invocation.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kAnyNumber = 10'000;

int WithQuery(Invocation& call, std::string_view method, std::string_view success) {
  const auto query = QueryOf(call.words, 1);
  if (!query) return Complain(query.error().message, kLocalFailure);
  return Exchange(call, method, PathOf(call.words.front()) + *query, "", success);
}

int WithBody(Invocation& call, std::string_view method) {
  const auto body = BodyOf(call.words, 1);
  if (!body) return Complain(body.error().message, kLocalFailure);
  const std::string path = PathOf(call.words.front());
  return Exchange(call, method, path, *body, "Success! Data written to: " + path);
}

int Read(Invocation& call) { return WithQuery(call, "GET", "Success!"); }
int List(Invocation& call) {
  const auto query = QueryOf(call.words, 1);
  if (!query) return Complain(query.error().message, kLocalFailure);
  return ExchangeList(call, PathOf(call.words.front()) + *query);
}
int Write(Invocation& call) {
  if (call.words.size() == 1 && !call.Has("force") && !call.Has("f")) {
    return Complain("no data: give NAME=VALUE, @FILE or -, or say -force", kLocalFailure);
  }
  return WithBody(call, "PUT");
}
int Patch(Invocation& call) { return WithBody(call, "PATCH"); }

int Delete(Invocation& call) {
  return WithQuery(call, "DELETE",
                   "Success! Data deleted (if it existed) at: " + PathOf(call.words.front()));
}

int PathHelp(Invocation& call) {
  int code = kDone;
  const auto answer = Ask(call, "GET", PathOf(call.words.front()) + "?help=1", "", code);
  if (!answer) return code;
  const auto help = nlohmann::json::parse(answer->body, nullptr, false);
  if (call.format == Format::kTable && call.field.empty() && help.is_object()) {
    std::printf("%s\n", help.value("help", "").c_str());
    return kDone;
  }
  return Show(call, answer->body);
}

}  // namespace

std::vector<Command> PathCommands() {
  const std::vector<Flag> force{{"force", true, "write without data"}, {"f", true, "as -force"}};
  return {{"read", "PATH [NAME=VALUE ...]", "read what is at PATH", {}, 1, kAnyNumber, Read},
          {"write", "[-force] PATH [NAME=VALUE | @FILE | - ...]",
           "write to PATH; a VALUE @FILE is read from a file, - from standard input", force, 1,
           kAnyNumber, Write},
          {"patch",
           "PATH [NAME=VALUE | @FILE | - ...]",
           "change some of what is at PATH",
           {},
           1,
           kAnyNumber,
           Patch},
          {"list", "PATH [NAME=VALUE ...]", "list what is under PATH", {}, 1, kAnyNumber, List},
          {"delete", "PATH [NAME=VALUE ...]", "delete what is at PATH", {}, 1, kAnyNumber, Delete},
          {"path-help", "PATH", "what the server says of PATH", {}, 1, 1, PathHelp}};
}

}  // namespace coffer::cli
