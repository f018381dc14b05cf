// A PKCS#11 module over SoftHSM (or COFFER_TEST_PKCS11_MODULE) with faults on demand, and with what
// a token does that is a device of its own (fakes/device_model.h).
#include "fakes/faulty_pkcs11_module.h"

#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include "fakes/device_model.h"
#include "fakes/softhsm_module.h"

namespace {

using coffer::fakes::Pkcs11Fault;

constexpr CK_ULONG kGigabyte = 1UL << 30U;

CK_FUNCTION_LIST* real = nullptr;
CK_FUNCTION_LIST list;
std::atomic<int> fault{0};
std::atomic<int> logins{0};
coffer::fakes::DeviceModel device;

bool Is(Pkcs11Fault wanted) { return fault.load() == static_cast<int>(wanted); }

// Another process's way to let one call hang: it makes the pipes `name`.begun and `name` in the
// directory that COFFER_TEST_HANG names. The first call to see `name` renames it to `name`.taken,
// opens `name`.begun for writing, which tells that process, and returns when it opens `name`.taken.
void HangIfTold(const char* name) {
  static const char* const directory = ::getenv("COFFER_TEST_HANG");
  if (directory == nullptr) return;
  const std::string wanted = std::string(directory) + "/" + name;
  const std::string taken = wanted + ".taken";
  if (::rename(wanted.c_str(), taken.c_str()) != 0) return;
  ::close(::open((wanted + ".begun").c_str(), O_WRONLY | O_CLOEXEC));
  ::close(::open(taken.c_str(), O_RDONLY | O_CLOEXEC));
}

// Takes the device's time for one operation. CKR_OK, or the answer that the device gives instead.
CK_RV Operate(CK_SESSION_HANDLE session) {
  switch (device.Operate()) {
    case coffer::fakes::DeviceModel::Outcome::kDone:
      return CKR_OK;
    case coffer::fakes::DeviceModel::Outcome::kSessionLost:
      if (real->C_CloseSession(session) == CKR_OK) device.GiveSession();
      return CKR_SESSION_HANDLE_INVALID;
    case coffer::fakes::DeviceModel::Outcome::kDeviceError:
      break;
  }
  return CKR_DEVICE_ERROR;
}

// The answer to an operation that C_...Init began and `rv` ended.
CK_RV Ended(CK_RV rv, const void* out, CK_RV device_rv) {
  return out == nullptr || device_rv == CKR_OK ? rv : device_rv;
}

CK_RV Bend(CK_RV rv, const void* out, CK_ULONG room, CK_ULONG* size) {
  if (rv != CKR_OK || out == nullptr) return rv;
  if (Is(Pkcs11Fault::kLongLengths)) *size = room + 1;
  if (Is(Pkcs11Fault::kShortLengths)) --*size;
  return rv;
}

CK_RV Initialize(void* arguments) {
  HangIfTold("initialize");
  return real->C_Initialize(arguments);
}

CK_RV Finalize(void* reserved) {
  const CK_RV rv = real->C_Finalize(reserved);
  if (rv == CKR_OK) {
    device.GiveAllSessions();
    device.Report();
  }
  return rv;
}

CK_RV OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify,
                  CK_SESSION_HANDLE* session) {
  if (!device.TakeSession()) return CKR_SESSION_COUNT;
  const CK_RV rv = real->C_OpenSession(slot, flags, application, notify, session);
  if (rv != CKR_OK) device.GiveSession();
  return rv;
}

CK_RV CloseSession(CK_SESSION_HANDLE session) {
  const CK_RV rv = real->C_CloseSession(session);
  if (rv == CKR_OK) device.GiveSession();
  return rv;
}

CK_RV CloseAllSessions(CK_SLOT_ID slot) {
  const CK_RV rv = real->C_CloseAllSessions(slot);
  if (rv == CKR_OK) device.GiveAllSessions();
  return rv;
}

CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  const CK_RV rv = real->C_GetTokenInfo(slot, info);
  if (rv == CKR_OK && device.max_sessions > 0) {
    info->ulMaxSessionCount = static_cast<CK_ULONG>(device.max_sessions.load());
    info->ulMaxRwSessionCount = info->ulMaxSessionCount;
    info->ulSessionCount = static_cast<CK_ULONG>(device.OpenSessions());
  }
  return rv;
}

CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG size) {
  ++logins;
  HangIfTold("login");
  return real->C_Login(session, user, pin, size);
}

CK_RV GetSlotList(CK_BBOOL present, CK_SLOT_ID* slots, CK_ULONG* count) {
  const CK_ULONG room = *count;
  return Bend(real->C_GetSlotList(present, slots, count), slots, room, count);
}

CK_RV FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* found, CK_ULONG room,
                  CK_ULONG* count) {
  return Bend(real->C_FindObjects(session, found, room, count), found, room, count);
}

CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                        CK_ATTRIBUTE* attributes, CK_ULONG count) {
  const CK_ULONG room = attributes->ulValueLen;
  const CK_RV rv = real->C_GetAttributeValue(session, object, attributes, count);
  if (rv != CKR_OK) return rv;
  if (Is(Pkcs11Fault::kHugeAttributes)) attributes->ulValueLen = kGigabyte;
  if (Is(Pkcs11Fault::kLongLengths) && attributes->pValue != nullptr) {
    attributes->ulValueLen = room + 1;
  }
  const bool nested = (attributes->type & CKF_ARRAY_ATTRIBUTE) != 0;
  if (Is(Pkcs11Fault::kGrowingTemplates) && nested && attributes->pValue != nullptr) {
    auto* const first = static_cast<CK_ATTRIBUTE*>(attributes->pValue);
    if (first->pValue != nullptr) ++first->ulValueLen;
  }
  return rv;
}

CK_RV EncryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return Is(Pkcs11Fault::kHollow) ? CKR_OK : real->C_EncryptInit(session, mechanism, key);
}

CK_RV Encrypt(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_size, CK_BYTE* out,
              CK_ULONG* size) {
  if (Is(Pkcs11Fault::kHollow)) {
    *size = in_size + 16;
    return CKR_OK;
  }
  HangIfTold("encrypt");
  const CK_ULONG room = *size;
  const CK_RV rv = real->C_Encrypt(session, in, in_size, out, size);
  return Bend(Ended(rv, out, out == nullptr ? CKR_OK : Operate(session)), out, room, size);
}

CK_RV DecryptInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return Is(Pkcs11Fault::kHollow) ? CKR_OK : real->C_DecryptInit(session, mechanism, key);
}

CK_RV Decrypt(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_size, CK_BYTE* out,
              CK_ULONG* size) {
  if (Is(Pkcs11Fault::kHollow)) {
    *size = in_size - 16;
    return CKR_OK;
  }
  if (Is(Pkcs11Fault::kDecryptStaysActive)) {
    if (out != nullptr) std::memset(out, 0x55, *size);
    return CKR_GENERAL_ERROR;
  }
  const CK_ULONG room = *size;
  const CK_RV rv = real->C_Decrypt(session, in, in_size, out, size);
  return Bend(Ended(rv, out, out == nullptr ? CKR_OK : Operate(session)), out, room, size);
}

CK_RV DecryptFinal(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG* size) {
  if (Is(Pkcs11Fault::kDecryptStaysActive)) return CKR_GENERAL_ERROR;
  return real->C_DecryptFinal(session, out, size);
}

CK_RV DigestFinal(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG* size) {
  const CK_ULONG room = *size;
  return Bend(real->C_DigestFinal(session, out, size), out, room, size);
}

CK_RV SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  return Is(Pkcs11Fault::kHollow) ? CKR_OK : real->C_SignInit(session, mechanism, key);
}

CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* out,
           CK_ULONG* size) {
  if (Is(Pkcs11Fault::kHollow)) return CKR_OK;
  HangIfTold("sign");
  const CK_ULONG room = *size;
  const CK_RV rv = real->C_Sign(session, data, data_size, out, size);
  return Bend(Ended(rv, out, out == nullptr ? CKR_OK : Operate(session)), out, room, size);
}

CK_RV GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) {
  if (Is(Pkcs11Fault::kHollow)) return CKR_OK;
  if (const CK_RV rv = Operate(session); rv != CKR_OK) return rv;
  return real->C_GenerateRandom(session, out, size);
}

CK_RV WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key,
              CK_OBJECT_HANDLE key, CK_BYTE* out, CK_ULONG* size) {
  if (out != nullptr) {
    if (const CK_RV rv = Operate(session); rv != CKR_OK) return rv;
  }
  const CK_ULONG room = *size;
  return Bend(real->C_WrapKey(session, mechanism, wrapping_key, key, out, size), out, room, size);
}

// The attributes of a new object that the module passes on.
std::vector<CK_ATTRIBUTE> Kept(const CK_ATTRIBUTE* attributes, CK_ULONG count) {
  std::vector<CK_ATTRIBUTE> kept(attributes, attributes + count);
  std::erase_if(kept, [](const CK_ATTRIBUTE& a) {
    return (Is(Pkcs11Fault::kNoUnwrapTemplates) && a.type == CKA_UNWRAP_TEMPLATE) ||
           (Is(Pkcs11Fault::kCopyableKeys) && a.type == CKA_COPYABLE);
  });
  return kept;
}

CK_RV GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes,
                  CK_ULONG count, CK_OBJECT_HANDLE* key) {
  std::vector<CK_ATTRIBUTE> kept = Kept(attributes, count);
  if (const CK_RV rv = Operate(session); rv != CKR_OK) return rv;
  return real->C_GenerateKey(session, mechanism, kept.data(), kept.size(), key);
}

CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism,
                      CK_ATTRIBUTE* public_attributes, CK_ULONG public_count,
                      CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                      CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) {
  if (const CK_RV rv = Operate(session); rv != CKR_OK) return rv;
  std::vector<CK_ATTRIBUTE> private_kept = Kept(private_attributes, private_count);
  return real->C_GenerateKeyPair(session, mechanism, public_attributes, public_count,
                                 private_kept.data(), private_kept.size(), public_key, private_key);
}

CK_RV UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key,
                CK_BYTE* wrapped, CK_ULONG size, CK_ATTRIBUTE* attributes, CK_ULONG count,
                CK_OBJECT_HANDLE* key) {
  if (const CK_RV rv = Operate(session); rv != CKR_OK) return rv;
  std::vector<CK_ATTRIBUTE> kept = Kept(attributes, count);
  return real->C_UnwrapKey(session, mechanism, unwrapping_key, wrapped, size, kept.data(),
                           kept.size(), key);
}

CK_RV DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base,
                CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) {
  if (const CK_RV rv = Operate(session); rv != CKR_OK) return rv;
  std::vector<CK_ATTRIBUTE> kept = Kept(attributes, count);
  return real->C_DeriveKey(session, mechanism, base, kept.data(), kept.size(), key);
}

}  // namespace

extern "C" {

void coffer_set_fault(int wanted) { fault = wanted; }
int coffer_login_count() { return logins; }
coffer::fakes::DeviceModel* coffer_device() { return &device; }

CK_RV C_GetFunctionList(CK_FUNCTION_LIST** out) {
  if (real == nullptr) real = coffer::fakes::LoadSoftHsm();
  if (real == nullptr) return CKR_GENERAL_ERROR;
  list = *real;
  list.C_Initialize = Initialize;
  list.C_Finalize = Finalize;
  list.C_OpenSession = OpenSession;
  list.C_CloseSession = CloseSession;
  list.C_CloseAllSessions = CloseAllSessions;
  list.C_GetTokenInfo = GetTokenInfo;
  list.C_Login = Login;
  list.C_GetSlotList = GetSlotList;
  list.C_FindObjects = FindObjects;
  list.C_GetAttributeValue = GetAttributeValue;
  list.C_EncryptInit = EncryptInit;
  list.C_Encrypt = Encrypt;
  list.C_DecryptInit = DecryptInit;
  list.C_Decrypt = Decrypt;
  list.C_DecryptFinal = DecryptFinal;
  list.C_DigestFinal = DigestFinal;
  list.C_SignInit = SignInit;
  list.C_Sign = Sign;
  list.C_GenerateRandom = GenerateRandom;
  list.C_WrapKey = WrapKey;
  list.C_GenerateKey = GenerateKey;
  list.C_GenerateKeyPair = GenerateKeyPair;
  list.C_UnwrapKey = UnwrapKey;
  list.C_DeriveKey = DeriveKey;
  *out = &list;
  return CKR_OK;
}

}  // extern "C"
