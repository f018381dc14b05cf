// Lists the tokens of a PKCS#11 module: list_tokens /usr/lib/softhsm/libsofthsm2.so
#include <cstdio>

#include "coffer/pkcs11/module.h"

namespace {

using namespace coffer::pkcs11;

coffer::Status ListTokens(const char* library) {
  COFFER_ASSIGN(auto module, Module::Load(library, Threading::kOsLocking));
  COFFER_ASSIGN(const ModuleInfo info, module->Info());
  std::printf("%s %s, cryptoki %s\n", info.library_description.c_str(),
              info.library_version.c_str(), info.cryptoki_version.c_str());
  COFFER_ASSIGN(const auto slots, module->Slots());
  for (const SlotId slot : slots) {
    COFFER_ASSIGN(const TokenInfo token, module->GetTokenInfo(slot));
    if (!token.initialized) {
      std::printf("slot %lu: not initialised yet\n", slot);
      continue;
    }
    COFFER_ASSIGN(const auto mechanisms, module->Mechanisms(slot));
    std::printf("slot %lu: \"%s\", serial %s, pins of %lu to %lu octets, %zu mechanisms%s\n", slot,
                token.label.c_str(), token.serial.c_str(), token.min_pin_octets,
                token.max_pin_octets, mechanisms.size(),
                token.user_pin_locked ? ", user pin locked" : "");
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s MODULE.so\n", argv[0]);
    return 64;
  }
  if (const coffer::Status status = ListTokens(argv[1]); !status) {
    std::fprintf(stderr, "%s (%s)\n", status.error().message.c_str(), status.error().cause.c_str());
    return 1;
  }
  return 0;
}
