#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "coffer/base/secret_bytes.h"
#include "coffer/pkcs11/module.h"
#include "coffer/pkcs11/session.h"

// The part that all examples share: a session on the token named on the command line, with the PIN
// read from standard input (arguments and environment are seen by others).
namespace example {

struct Token {
  std::unique_ptr<coffer::pkcs11::Module> module;
  coffer::pkcs11::Session session;  // after the module, so closed before it
};

inline coffer::Result<Token> OpenToken(const char* library, const char* label) {
  using coffer::pkcs11::Module;
  COFFER_ASSIGN(auto module, Module::Load(library, coffer::pkcs11::Threading::kOsLocking));
  COFFER_ASSIGN(const auto slot, module->FindToken(label));
  coffer::SecretBytes pin(256);
  std::size_t size = 0;
  for (int c = std::getchar(); c != EOF && c != '\n' && size < pin.size(); c = std::getchar()) {
    pin.RevealMutable()[size++] = static_cast<std::uint8_t>(c);
  }
  pin.Truncate(size);
  COFFER_ASSIGN(auto session, module->OpenSession(slot));
  COFFER_TRY(module->Login(session, coffer::pkcs11::UserType::kUser, pin));
  return Token{std::move(module), std::move(session)};
}

// Runs `use` on the token; the exit status for main.
template <typename Use>
int Run(int argc, char** argv, const Use& use) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s MODULE.so TOKEN-LABEL < file-with-the-pin\n", argv[0]);
    return 64;
  }
  const auto status = [&]() -> coffer::Status {
    COFFER_ASSIGN(Token token, OpenToken(argv[1], argv[2]));
    return use(token.session);
  }();
  if (status) return 0;
  std::fprintf(stderr, "%s (%s)\n", status.error().message.c_str(), status.error().cause.c_str());
  return 1;
}

}  // namespace example
