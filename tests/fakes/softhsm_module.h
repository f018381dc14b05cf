#pragma once

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace coffer::fakes {

// A server loads copies of a module as instances, and each needs a SoftHSM of its own: the loader
// takes one file for one library. Null where it fails.
inline void* OpenCopyOf(const char* path) {
  std::ifstream in(path, std::ios::binary);
  const std::string octets{std::istreambuf_iterator<char>(in), {}};
  const int file = ::memfd_create("softhsm", MFD_CLOEXEC);
  if (file < 0 || octets.empty()) return nullptr;
  std::string_view left = octets;
  while (!left.empty()) {
    const ssize_t written = ::write(file, left.data(), left.size());
    if (written <= 0) return nullptr;
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  // Stays open: another copy's number must be another path.
  return ::dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
}

// The functions of SoftHSM, or of the module that COFFER_TEST_PKCS11_MODULE names. Null where it
// cannot be loaded.
inline CK_FUNCTION_LIST* LoadSoftHsm() {
  const char* const named = ::getenv("COFFER_TEST_PKCS11_MODULE");
  const char* const path = named == nullptr ? "/usr/lib/softhsm/libsofthsm2.so" : named;
  void* const library = OpenCopyOf(path);
  if (library == nullptr) return nullptr;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  return get != nullptr && get(&functions) == CKR_OK ? functions : nullptr;
}

}  // namespace coffer::fakes
