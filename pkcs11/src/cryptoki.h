#pragma once

// The one place that includes the standard's header. CRYPTOKI_GNU stays undefined, so p11-kit gives
// the standard's names (CK_RV, pValue, ulValueLen) and not its own.
#include <p11-kit/pkcs11.h>

#include <atomic>
#include <cstdint>

#include "coffer/base/bytes.h"
#include "coffer/pkcs11/session.h"

namespace coffer::pkcs11 {

// PKCS#11 3.0; p11-kit 0.24 stops at 2.40.
inline constexpr CK_RV kCkrAeadDecryptFailed = 0x42;

// What a Module shares with its Sessions. `generation` grows each time C_Finalize has killed all
// handles: a token gives the same numbers again afterwards, so an old Session must not even close
// its own.
struct ModuleState {
  explicit ModuleState(CK_FUNCTION_LIST* list) : functions(list) {}
  CK_FUNCTION_LIST* const functions;
  std::atomic<std::uint64_t> generation{0};
};

// Cryptoki declares input pointers without const and does not write through them; some tokens take
// a null pointer for an error even where the length is 0.
inline CK_BYTE* InputPointer(ByteView bytes) {
  static CK_BYTE empty = 0;
  return bytes.empty() ? &empty : const_cast<CK_BYTE*>(bytes.data());
}

inline CK_MECHANISM ToCk(const Mechanism& mechanism) {
  CK_MECHANISM raw{};
  raw.mechanism = static_cast<CK_MECHANISM_TYPE>(mechanism.type);
  if (!mechanism.parameter.empty()) {
    raw.pParameter = InputPointer(mechanism.parameter);
    raw.ulParameterLen = mechanism.parameter.size();
  }
  return raw;
}

}  // namespace coffer::pkcs11
