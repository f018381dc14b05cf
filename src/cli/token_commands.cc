// The token that stands for us: coffer login, print token and token lookup.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/exchange.h"
#include "cli/hidden_line.h"
#include "cli/key_values.h"

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

int Create(Invocation& call) {
  json body{{"policies", json::array()}};
  if (call.flags.contains("policy")) body["policies"] = call.flags.at("policy");
  if (body["policies"].empty()) body.erase("policies");
  AddPlain(call,
           {"id", "display-name", "type", "ttl", "period", "explicit-max-ttl", "entity-alias"},
           body);
  if (call.Has("use-limit")) body["num_uses"] = call.Get("use-limit");
  if (call.Has("renewable")) body["renewable"] = call.Get("renewable");
  if (call.Has("orphan")) body["no_parent"] = true;
  if (call.Has("no-default-policy")) body["no_default_policy"] = true;
  if (call.flags.contains("metadata")) {
    for (const std::string& pair : call.flags.at("metadata")) {
      const std::size_t equals = pair.find('=');
      body["meta"][pair.substr(0, equals)] = pair.substr(equals + 1);
    }
  }
  const std::string role = call.Get("role");
  const std::string path = "auth/token/create" + (role.empty() ? "" : "/" + role);
  return Exchange(call, {"POST", path, body.dump(), "Error creating token"}, "");
}

int Renew(Invocation& call) {
  json body = json::object();
  if (call.Has("increment")) body["increment"] = call.Get("increment");
  std::string path = "auth/token/renew-self";
  if (call.Has("accessor")) {
    if (call.words.empty()) return Complain("-accessor needs an accessor", kLocalFailure);
    path = "auth/token/renew-accessor";
    body["accessor"] = call.words.front();
  } else if (!call.words.empty()) {
    path = "auth/token/renew";
    body["token"] = GivenToken(call);
  }
  return Exchange(call, {"PUT", path, body.dump(), "Error renewing token"}, "");
}

int Revoke(Invocation& call) {
  const std::string failure = "Error revoking token";
  const std::string success = "Success! Revoked token (if it existed)";
  const std::string mode = call.Get("mode");
  if (call.Has("self")) {
    if (!call.words.empty()) return Complain("-self goes without a token", kLocalFailure);
    return Exchange(call, {"PUT", "auth/token/revoke-self", "{}", failure}, success);
  }
  if (call.words.empty()) return Complain("give a token, an accessor or -self", kLocalFailure);
  if (call.Has("accessor")) {
    return Exchange(call,
                    {"PUT", "auth/token/revoke-accessor",
                     json{{"accessor", call.words.front()}}.dump(), failure},
                    success);
  }
  if (!mode.empty() && mode != "orphan") return Complain("-mode is orphan", kLocalFailure);
  const std::string path = mode.empty() ? "auth/token/revoke" : "auth/token/revoke-orphan";
  return Exchange(call, {"PUT", path, json{{"token", GivenToken(call)}}.dump(), failure}, success);
}

int Capabilities(Invocation& call) {
  std::string path = "sys/capabilities-self";
  json body{{"paths", json::array({PathOf(call.words.back())})}};
  if (call.Has("accessor")) {
    if (call.words.size() != 2) return Complain("-accessor needs an accessor", kLocalFailure);
    path = "sys/capabilities-accessor";
    body["accessor"] = call.words.front();
  } else if (call.words.size() == 2) {
    path = "sys/capabilities";
    body["token"] = GivenToken(call);
  }
  int code = kDone;
  const auto answer = Ask(call, {"POST", path, body.dump(), "Error listing capabilities"}, code);
  if (!answer) return code;
  std::vector<std::string> names = json::parse(answer->body).at("data").at("capabilities");
  std::ranges::sort(names);
  if (call.format != Format::kTable) return ShowDocument(call, names);
  std::string line;
  for (const std::string& name : names) line += (line.empty() ? "" : ", ") + name;
  std::printf("%s\n", line.c_str());
  return kDone;
}

std::vector<Flag> CreateFlags() {
  return {{"policy", Kind::kText, "a policy; often (default: those of our own token)"},
          {"ttl", Kind::kDuration, "how long it lives"},
          {"explicit-max-ttl", Kind::kDuration, "how long it lives at most, renewed or not"},
          {"period", Kind::kDuration, "each renewal lasts so long, without an end"},
          {"use-limit", Kind::kNumber, "how often it can be used"},
          {"renewable", Kind::kText, "true or false"},
          {"orphan", Kind::kSwitch, "it outlives our own token"},
          {"no-default-policy", Kind::kSwitch, "without the policy default"},
          {"display-name", Kind::kText, "a name for the audit trail"},
          {"metadata", Kind::kPair, "NAME=VALUE for the audit trail; often"},
          {"role", Kind::kText, "the role to make it with"},
          {"type", Kind::kText, "service"},
          {"id", Kind::kText, "the token itself: everybody on this machine can see it"},
          {"entity-alias", Kind::kText, "sent to the server"}};
}

std::vector<Command> TokenQueries() {
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

std::vector<Command> TokenChanges() {
  return {{.name = "token create",
           .synopsis = "[-policy=NAME] [-ttl=TIME] ...",
           .help = "make a token, a child of our own",
           .examples = "coffer token create -policy=app -ttl=1h\n"
                       "coffer token create -policy=app -period=24h -orphan -field=token",
           .flags = CreateFlags(),
           .shows = Shows::kFields,
           .run = Create},
          {.name = "token renew",
           .synopsis = "[-increment=TIME] [-accessor] [TOKEN | ACCESSOR | -]",
           .help = "renew a token: without a word, our own",
           .examples = "coffer token renew\ncoffer token renew -increment=30m - < token-file",
           .flags = {{"increment", Kind::kDuration, "how long it should live from now on"},
                     {"accessor", Kind::kSwitch, "the word is an accessor"}},
           .shows = Shows::kFields,
           .most = 1,
           .run = Renew},
          {.name = "token revoke",
           .synopsis = "[-self] [-accessor] [-mode=orphan] [TOKEN | ACCESSOR | -]",
           .help = "end a token and all that descend from it",
           .examples = "coffer token revoke -self\ncoffer token revoke -accessor ACCESSOR",
           .flags = {{"self", Kind::kSwitch, "our own token"},
                     {"accessor", Kind::kSwitch, "the word is an accessor"},
                     {"mode", Kind::kText, "orphan: its children stay"}},
           .most = 1,
           .run = Revoke},
          {.name = "token capabilities",
           .synopsis = "[-accessor] [TOKEN | ACCESSOR | -] PATH",
           .help = "what a token may do on PATH: with one word, our own",
           .examples = "coffer token capabilities transit/encrypt/orders",
           .flags = {{"accessor", Kind::kSwitch, "the first word is an accessor"}},
           .shows = Shows::kFormats,
           .least = 1,
           .most = 2,
           .run = Capabilities}};
}

}  // namespace

std::vector<Command> TokenCommands() {
  std::vector<Command> commands = TokenChanges();
  const std::vector<Command> others = TokenQueries();
  commands.insert(commands.end(), others.begin(), others.end());
  return commands;
}

}  // namespace coffer::cli
