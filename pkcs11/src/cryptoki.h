#pragma once

// The one place that includes the standard's header. CRYPTOKI_GNU stays undefined, so p11-kit gives
// the standard's names (CK_RV, pValue, ulValueLen) and not its own.
#include <p11-kit/pkcs11.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdint>

#include "coffer/base/bytes.h"
#include "coffer/pkcs11/session.h"
#include "operation_counters.h"

namespace coffer::pkcs11 {

// PKCS#11 3.0; p11-kit 0.24 stops at 2.40.
inline constexpr CK_RV kCkrAeadDecryptFailed = 0x42;

// CK_SALSA20_CHACHA20_POLY1305_PARAMS.
struct ChaCha20Poly1305Parameters {
  CK_BYTE* nonce;
  CK_ULONG nonce_size;
  CK_BYTE* aad;
  CK_ULONG aad_size;
};
static_assert(sizeof(ChaCha20Poly1305Parameters) == 4 * sizeof(CK_ULONG));

// CK_HKDF_PARAMS and CKF_HKDF_SALT_*.
struct HkdfDeriveParameters {
  CK_BBOOL extract;
  CK_BBOOL expand;
  CK_MECHANISM_TYPE hash;
  CK_ULONG salt_type;
  CK_BYTE* salt;
  CK_ULONG salt_size;
  CK_OBJECT_HANDLE salt_key;
  CK_BYTE* info;
  CK_ULONG info_size;
};
static_assert(sizeof(HkdfDeriveParameters) == 8 * sizeof(CK_ULONG));
inline constexpr CK_ULONG kHkdfSaltNull = 1;
inline constexpr CK_ULONG kHkdfSaltData = 2;

// The module's functions, each call stamped with its begin so that another thread can see one that
// does not come back: `functions->C_Sign(...)` is a call from `->` to the end of the expression.
class Functions {
 public:
  explicit Functions(CK_FUNCTION_LIST* list) : list_(list) {}
  Functions(const Functions&) = delete;
  Functions& operator=(const Functions&) = delete;

  class Call {
   public:
    Call(const Functions& functions, std::chrono::nanoseconds allowance) : functions_(functions) {
      functions_.since_.store((Now() + allowance).count(), std::memory_order_relaxed);
    }
    ~Call() { functions_.since_.store(0, std::memory_order_relaxed); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    CK_FUNCTION_LIST* operator->() const { return functions_.list_; }

   private:
    const Functions& functions_;
  };

  Call operator->() const { return {*this, std::chrono::nanoseconds(0)}; }
  // Begins a call that may take long although nothing is wrong (RSA key pairs). Its begin is
  // stamped a minute ahead, so that it counts as hanging a minute later.
  Call Patiently() const { return {*this, std::chrono::minutes(1)}; }
  // 0 where no call is under way; else CLOCK_MONOTONIC's nanoseconds. Any thread.
  std::int64_t Since() const { return since_.load(std::memory_order_relaxed); }

 private:
  // The coarse clock is a load; a few milliseconds do not matter here.
  static std::chrono::nanoseconds Now() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }

  CK_FUNCTION_LIST* const list_;
  mutable std::atomic<std::int64_t> since_{0};
};

// The state that a Module shares with its Sessions. `generation` grows each time C_Finalize has
// killed all handles: a token gives the same numbers again afterwards, so an old Session must not
// even close its own.
struct ModuleState {
  explicit ModuleState(CK_FUNCTION_LIST* list) : functions(list) {}
  const Functions functions;
  std::atomic<std::uint64_t> generation{0};
  mutable OperationCounters counters;
  mutable std::atomic<std::uint64_t> objects_made{0};  // since C_Initialize
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
