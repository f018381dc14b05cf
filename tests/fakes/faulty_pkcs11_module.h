#pragma once

#include <dlfcn.h>

#include <stdexcept>

#include "fakes/device_model.h"

namespace coffer::fakes {

// The faults of faulty_pkcs11_module.cc, a PKCS#11 module that passes every call on to SoftHSM
// except where it is told to misbehave.
enum class Pkcs11Fault : int {
  kNone,
  kLongLengths,         // lengths and counts are reported one larger than the caller's room
  kShortLengths,        // C_Encrypt and C_Decrypt report one byte less than they wrote
  kHugeAttributes,      // C_GetAttributeValue asks for a gigabyte
  kGrowingTemplates,    // nested entries grow between the call for sizes and the one for values
  kDecryptStaysActive,  // C_Decrypt fails and leaves the operation active, C_DecryptFinal too
  kNoUnwrapTemplates,   // CKA_UNWRAP_TEMPLATE is taken and ignored
  kCopyableKeys,        // CKA_COPYABLE of new keys is taken and ignored
  kHollow               // the hot calls succeed without a token
};

// Valid once the module was loaded from `path` (without a copy).
class FaultyPkcs11Module final {
 public:
  explicit FaultyPkcs11Module(const char* path)
      : library_(::dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD)) {
    if (library_ == nullptr) throw std::runtime_error("the faulty module is not loaded");
    Set(Pkcs11Fault::kNone);
  }
  ~FaultyPkcs11Module() {
    DeviceModel& device = Device();
    for (std::atomic<long>* const setting :
         {&device.latency_us, &device.max_sessions, &device.drop_session_every,
          &device.device_error_every}) {
      *setting = 0;
    }
    device.device_errors = 1;
  }
  FaultyPkcs11Module(const FaultyPkcs11Module&) = delete;
  FaultyPkcs11Module& operator=(const FaultyPkcs11Module&) = delete;
  void Set(Pkcs11Fault fault) { Call<void(int)>("coffer_set_fault")(static_cast<int>(fault)); }
  // The model of a device that is part of the module; its settings go with this object.
  DeviceModel& Device() { return *Call<DeviceModel*()>("coffer_device")(); }
  int Logins() { return Call<int()>("coffer_login_count")(); }  // C_Login calls so far

 private:
  template <typename F>
  F* Call(const char* name) {
    F* const function = reinterpret_cast<F*>(::dlsym(library_, name));
    if (function == nullptr) throw std::runtime_error(name);
    return function;
  }
  void* const library_;  // never closed, like the module
};

}  // namespace coffer::fakes
