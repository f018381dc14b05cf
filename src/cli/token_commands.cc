// The token that stands for us: coffer login, print token and token lookup.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/exchange.h"
#include "cli/hidden_line.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using Kind = Flag::Kind;

constexpr std::string_view kSeen =
    "WARNING! A token among the arguments can be seen by every user of this machine: give it on "
    "standard input, with -";

// Whole or not at all.
bool StoreToken(const std::string& token) {
  const std::string file = TokenFile();
  const std::string fresh = file + ".new";
  if (file.empty()) return false;
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool written = ::write(fd, token.data(), token.size()) == static_cast<ssize_t>(token.size());
  written = ::fsync(fd) == 0 && written;
  written = ::close(fd) == 0 && written;
  if (written && std::rename(fresh.c_str(), file.c_str()) == 0) return true;
  ::unlink(fresh.c_str());
  return false;
}

// The answer that a login by a method would give, from what the server says of the token.
json AuthOf(const json& data) {
  const auto member = [&](const char* name, const json& otherwise) {
    return data.contains(name) ? data[name] : otherwise;
  };
  const json policies = member("policies", json::array());
  return {{"client_token", member("id", "")},
          {"accessor", member("accessor", "")},
          {"policies", policies},
          {"token_policies", policies},
          {"identity_policies", member("identity_policies", nullptr)},
          {"metadata", member("meta", nullptr)},
          {"orphan", member("orphan", false)},
          {"entity_id", member("entity_id", "")},
          {"lease_duration", member("ttl", 0)},
          {"renewable", member("renewable", false)},
          {"mfa_requirement", nullptr}};
}

void SayLoggedIn(const Invocation& call, bool stored) {
  if (call.format != Format::kTable || !call.field.empty()) return;
  if (!Variable("TOKEN").empty()) {
    std::fputs(
        "WARNING! The VAULT_TOKEN environment variable is set! The value of this\nvariable will "
        "take precedence; if this is unwanted please unset VAULT_TOKEN or\nupdate its value "
        "accordingly.\n\n",
        stderr);
  }
  Say(call, stored
                ? "Success! You are now authenticated. The token information displayed below is\n"
                  "already stored in the token helper. You do NOT need to run \"coffer login\"\n"
                  "again. Future Coffer requests will automatically use this token.\n"
                : "Success! You are now authenticated. The token was not stored in token helper.\n"
                  "Set the VAULT_TOKEN environment variable or pass the token below with each\n"
                  "request to Coffer.\n");
}

// The token that was given, in one of the ways there are; empty where it is none.
std::string GivenToken(const Invocation& call) {
  if (call.words.empty() || call.words.front() == "-") {
    return std::string(Trimmed(ReadSecret("Token (will be hidden): ")));
  }
  std::string_view word = call.words.front();
  if (word.starts_with("token=")) word.remove_prefix(6);
  if (::isatty(STDERR_FILENO) == 1) Complain(kSeen, kDone);
  return std::string(Trimmed(word));
}

int Login(Invocation& call) {
  if (call.Get("method", "token") != "token") {
    return Complain("Unknown auth method: " + call.Get("method") + ". The only one is token.",
                    kLocalFailure);
  }
  call.target.token = GivenToken(call);
  if (call.target.token.empty()) return Complain("no token was given", kLocalFailure);
  if (const auto sound = call.target.Check(); !sound) {
    return Complain(sound.error().message, kLocalFailure);
  }
  int code = kDone;
  const auto answer = Ask(
      call, {"GET", "auth/token/lookup-self", "", "Error authenticating: error looking up token"},
      code);
  if (!answer) return code;
  const json parsed = json::parse(answer->body, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("data") || !parsed["data"].is_object()) {
    return Complain("the server's answer has another form than expected", kLocalFailure);
  }
  const bool only = call.Has("token-only");
  const bool store = !call.Has("no-store") && !only;
  if (store && !StoreToken(call.target.token)) {
    return Complain("failed to write " + TokenFile(), kLocalFailure);
  }
  if (only) call.field = "token";
  if (call.Has("no-print")) return kDone;
  SayLoggedIn(call, store);
  return Show(call, json{{"data", nullptr}, {"auth", AuthOf(parsed["data"])}}.dump());
}

int PrintToken(Invocation& call) {
  std::printf("%s\n", call.target.token.c_str());
  return kDone;
}

int Lookup(Invocation& call) {
  const std::string failure = "Error looking up token";
  if (call.words.empty()) {
    return Exchange(call, {"GET", "auth/token/lookup-self", "", failure}, "");
  }
  if (call.Has("accessor")) {
    return Exchange(call,
                    {"POST", "auth/token/lookup-accessor",
                     json{{"accessor", call.words.front()}}.dump(), failure},
                    "");
  }
  const std::string token = GivenToken(call);
  return Exchange(call, {"POST", "auth/token/lookup", json{{"token", token}}.dump(), failure}, "");
}

}  // namespace

std::vector<Command> TokenCommands() {
  return {{.name = "login",
           .synopsis = "[-no-store] [-no-print] [-token-only] [-]",
           .help = "check a token, read from standard input or asked for, and keep it in "
                   "~/.vault-token",
           .examples =
               "coffer login\ncoffer login - < token-file\ncoffer login -token-only - < token-file",
           .flags = {{"method", Kind::kText, "token"},
                     {"path", Kind::kText, "taken and not needed"},
                     {"no-store", Kind::kSwitch, "do not keep it"},
                     {"no-print", Kind::kSwitch, "show nothing of it"},
                     {"token-only", Kind::kSwitch, "print it alone and do not keep it"}},
           .shows = Shows::kFields,
           .most = 1,
           .run = Login},
          {.name = "print token",
           .help = "the token that the other commands send",
           .examples = "coffer print token",
           .run = PrintToken},
          {.name = "token lookup",
           .synopsis = "[-accessor] [TOKEN | ACCESSOR | -]",
           .help = "what the server says of a token: without a word, of our own",
           .examples = "coffer token lookup\ncoffer token lookup -format=json",
           .flags = {{"accessor", Kind::kSwitch, "the word is an accessor"}},
           .shows = Shows::kFormats,
           .most = 1,
           .run = Lookup}};
}

}  // namespace coffer::cli
