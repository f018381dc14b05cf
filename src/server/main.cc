#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/cli/commands.h"
#include "coffer/crypto/system_random.h"
#include "server/dev_mode.h"
#include "server/run_server.h"
#include "server/stderr_log.h"

namespace {

constexpr int kUsage = 2;
constexpr int kPinRefused = 78;  // EX_CONFIG: a supervisor must not try again

int Serve(const std::vector<std::string>& arguments) {
  coffer::server::DevFlags flags;
  bool dev = false;
  CLI::App app("coffer server: keys in a PKCS#11 token behind Vault's HTTP API", "coffer server");
  app.add_flag("--dev", dev, "a local server on a SoftHSM token made for it")->required();
  app.add_option("--data", flags.data,
                 "where everything is kept (default: a fresh temporary directory)");
  app.add_option("--dev-root-token-id", flags.root_token_id,
                 "the root token (default: random, kept)");
  app.add_option("--dev-listen-address", flags.listen_address,
                 "HOST:PORT (default 127.0.0.1:8200)");
  app.add_option("--dev-unix-socket", flags.unix_socket,
                 "path of the socket (default DIR/coffer.sock)");
  app.add_option("--dev-module", flags.module, "the PKCS#11 module (default Debian's SoftHSM)");
  app.add_option(
      "--accept-rollback", flags.accept_rollback,
      "start on an older database of this epoch; every key is rotated before its next use");
  app.add_flag("--accept-damaged-rows", flags.accept_damaged_rows,
               "start although key rows were removed or changed");
  try {
    // CLI11 wants them reversed.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    const int shown = app.exit(error);
    return shown == 0 ? 0 : kUsage;
  }
  coffer::server::PrepareProcess();
  const auto logger = coffer::server::MakeStderrLog();
  coffer::crypto::SystemRandom random;
  coffer::Status done;
  if (const auto config = coffer::server::MakeDevConfig(flags, random)) {
    done = coffer::server::RunServer(*config, random, *logger);
  } else {
    done = coffer::Fail(config.error());
  }
  if (done) return 0;
  const coffer::Error& error = done.error();
  std::fprintf(stderr, "coffer: %s\n", error.message.c_str());
  if (!error.cause.empty()) std::fprintf(stderr, "coffer: cause: %s\n", error.cause.c_str());
  const bool pin =
      error.code == coffer::Code::kPinIncorrect || error.code == coffer::Code::kPinLocked;
  return pin ? kPinRefused : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments = coffer::cli::NormalizeFlags({argv + 1, argv + argc});
  const bool serve = !arguments.empty() && arguments.front() == "server";
  const int code =
      serve ? Serve({arguments.begin() + 1, arguments.end()}) : coffer::cli::Run(arguments);
  std::fflush(stdout);
  std::fflush(stderr);
  // The copies of the module stay loaded: their destructors must not run beside OpenSSL's own.
  ::_exit(code);
}
