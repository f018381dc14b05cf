// Commands about the server as a whole and about who we are to it.

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/demo.h"
#include "cli/invocation.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

int ShowStatus(Invocation& call) {
  VaultClient client(call.target);
  if (call.target.print_curl) {
    std::printf("%s\n", client.CurlCommand("GET", "sys/seal-status", "").c_str());
    return kDone;
  }
  const auto answer = client.Call("GET", "sys/seal-status");
  if (!answer) return Complain(answer.error().message, kLocalFailure);
  const json status = json::parse(answer->body, nullptr, false);
  if (answer->status != 200 || status.is_discarded()) {
    return Complain("the server gave no status", kLocalFailure);
  }
  const bool sealed = status.value("sealed", true);
  const int shown = Show(call, answer->body);
  return shown == kDone && sealed ? kRemoteFailure : shown;
}

// A line of standard input; on a terminal it is asked for and not shown.
std::string AskForToken() {
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  termios before{};
  if (terminal) {
    ::tcgetattr(STDIN_FILENO, &before);
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    std::fputs("Token (will be hidden): ", stderr);
  }
  std::string token;
  for (int c = 0; (c = std::getchar()) != EOF && c != '\n' && token.size() < 4096;)
    token += static_cast<char>(c);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fputc('\n', stderr);
  }
  return token;
}

bool StoreToken(const std::string& token) {
  const std::string file = TokenFile();
  const std::string fresh = file + ".new";
  if (file.empty()) return false;
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written =
      ::write(fd, token.data(), token.size()) == static_cast<ssize_t>(token.size());
  ::close(fd);
  return written && std::rename(fresh.c_str(), file.c_str()) == 0;
}

int Login(Invocation& call) {
  if (call.Get("method", "token") != "token") {
    return Complain("the only method is token", kLocalFailure);
  }
  if (!call.words.empty() && call.words.front() != "-") {
    return Complain("a token on the command line is seen by others: give it on standard input",
                    kLocalFailure);
  }
  call.target.token = AskForToken();
  if (call.target.token.empty()) return Complain("no token was given", kLocalFailure);
  int code = kDone;
  const auto answer = Ask(call, "GET", "auth/token/lookup-self", "", code);
  if (!answer) return code;
  const bool store = !call.Has("no-store");
  if (store && !StoreToken(call.target.token)) {
    return Complain("failed to write " + TokenFile(), kLocalFailure);
  }
  json shown = json::parse(answer->body, nullptr, false);
  if (!shown.is_object() || !shown["data"].is_object()) {
    return Complain("the server's answer has another form than expected", kLocalFailure);
  }
  shown["data"].erase("id");
  if (call.format == Format::kTable && call.field.empty()) {
    std::printf("Success! You are now authenticated.%s\n\n",
                store ? " The token is kept in ~/.vault-token." : "");
  }
  if (store && !Variable("TOKEN").empty()) {
    std::fputs(
        "VAULT_TOKEN or COFFER_TOKEN is set and goes before the token that is kept: unset it\n",
        stderr);
  }
  return Show(call, shown.dump());
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
  return {{"status", "", "whether the server can be used", {}, 0, 0, ShowStatus},
          {"login",
           "[-no-store] [-]",
           "check a token, read from standard input, and keep it in ~/.vault-token",
           {{"method", false, "token"}, {"no-store", true, "do not keep it"}},
           0,
           1,
           Login},
          {"demo",
           "[-data=DIR] [FILE]",
           "encrypt, rotate, rewrap and decrypt the records of a file",
           {{"data", false, "search this directory for plaintext afterwards"}},
           0,
           1,
           Demo}};
}

}  // namespace coffer::cli
