#include "server/console/root_token.h"

#include <string>

#include "coffer/auth/token_store.h"
#include "coffer/base/ids.h"
#include "server/console/stopped_server.h"
#include "server/locked_database.h"
#include "server/token/pin_guard.h"

namespace coffer::server {
namespace {

using Show = std::function<Status(const SecretBytes& token)>;

Status SetRootToken(Console& console, StoppedServer& server, bool replace, const Show& show) {
  COFFER_ASSIGN(const SecretBytes lookup_key, server.Keys().DeriveLookupKey(kTokenLookupLabel));
  COFFER_ASSIGN(const auto policies, auth::PolicyStore::Load(server.Database(), server.GetClock()));
  COFFER_ASSIGN(const auto tokens, auth::TokenStore::Load(server.Database(), *policies, lookup_key,
                                                          console.random, server.GetClock()));
  const bool initialized = tokens->Initialized();
  if (initialized && !replace) {
    return Fail(Code::kConflict,
                "the server has a root token: coffer operator recover-root replaces a lost one");
  }
  if (!initialized && replace) {
    return Fail(Code::kNotFound, "the server has no root token yet: run coffer operator init");
  }
  const SecretBytes token = NewRootToken(console.random);
  COFFER_TRY(show(token));
  COFFER_TRY(
      server.Audit().RecordEvent({replace ? "root-token-replaced" : "root-token-made", {}, true}));
  COFFER_TRY(tokens->SetRootToken(AsText(token.Reveal())));
  console.logger.Log(LogLevel::kWarn, "server",
                     replace ? "root token replaced" : "root token made");
  return {};
}

}  // namespace

SecretBytes NewRootToken(Random& random) {
  std::string text = "hvs." + RandomBase62(random, 24);
  SecretBytes token = SecretBytes::CopyOf(AsBytes(text));
  SecureWipe(text.data(), text.size());
  return token;
}

Status MakeRootToken(Console& console, bool replace, const Show& show) {
  const Config& config = console.config;
  SelectSoftHsm(config);
  COFFER_ASSIGN(const auto lock, LockDataDirectory(config, console.logger));
  StoppedServer::Opening opening;
  opening.database = DatabaseFile(config);
  return WithPin(config, [&](const SecretBytes& pin) -> Status {
    COFFER_ASSIGN(const auto server, console.watch.During([&] {
      return StoppedServer::Open(config, opening, pin, console.random, console.logger);
    }));
    return SetRootToken(console, *server, replace, show);
  });
}

}  // namespace coffer::server
