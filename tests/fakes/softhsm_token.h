#pragma once

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/pkcs11/module.h"
#include "coffer/pkcs11/session.h"

namespace coffer::fakes {

// A real SoftHSM token, freshly made in a temporary folder of its own and removed with it. Sets
// SOFTHSM2_CONF, which SoftHSM reads at each C_Initialize: with several tokens in one process call
// Select() before Load or Reinitialize. Throws std::runtime_error where it cannot be made (tests
// only). Every Module loaded from it must be gone before it is. Not thread-safe.
class SoftHsmToken final {
 public:
  explicit SoftHsmToken(std::string label = "coffer-test") : label_(std::move(label)) {
    std::string folder = (std::filesystem::temp_directory_path() / "coffer-softhsm-XXXXXX");
    if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    directory_ = folder;
    std::filesystem::create_directory(TokenDirectory());
    std::ofstream(ConfigFile()) << "directories.tokendir = " << TokenDirectory().string()
                                << "\nobjectstore.backend = file\nlog.level = ERROR\n"
                                   "slots.removable = false\n";
    Select();
    try {
      serial_ = Initialize(label_, so_pin_, user_pin_);
    } catch (...) {
      RemoveFolder();
      throw;
    }
  }
  SoftHsmToken(const SoftHsmToken&) = delete;
  SoftHsmToken& operator=(const SoftHsmToken&) = delete;
  ~SoftHsmToken() { RemoveFolder(); }

  // SoftHSM's own library.
  static std::filesystem::path Library() {
    const char* const named = ::getenv("COFFER_TEST_PKCS11_MODULE");
    return named == nullptr ? "/usr/lib/softhsm/libsofthsm2.so" : named;
  }

  // 32 hexadecimal digits of the kernel's randomness.
  static SecretBytes RandomPin() {
    std::uint8_t octets[16];
    if (::getrandom(octets, sizeof(octets), 0) != sizeof(octets)) {
      throw std::runtime_error("getrandom failed");
    }
    return SecretBytes::CopyOf(AsBytes(ToHex(octets)));
  }

  const std::filesystem::path& Directory() const { return directory_; }  // all of it; scratch space
  std::filesystem::path TokenDirectory() const { return directory_ / "tokens"; }
  std::filesystem::path ConfigFile() const { return directory_ / "softhsm2.conf"; }
  const std::string& Label() const { return label_; }
  const std::string& Serial() const { return serial_; }
  const SecretBytes& UserPin() const { return user_pin_; }
  const SecretBytes& SoPin() const { return so_pin_; }

  void Select() const {
    if (::setenv("SOFTHSM2_CONF", ConfigFile().c_str(), 1) != 0) {
      throw std::runtime_error("setenv failed");
    }
  }

  // A path for Module::Load's copy_to that no other call in this process has given.
  std::filesystem::path NewCopyPath() const {
    static std::atomic<int> count{0};
    return directory_ / ("module-" + std::to_string(++count) + ".so");
  }

  // An instance of its own (a byte-copy of the library), not logged in.
  std::unique_ptr<pkcs11::Module> Load(
      pkcs11::Threading threading = pkcs11::Threading::kOsLocking) const {
    Select();
    return Expect(pkcs11::Module::Load(Library(), threading, NewCopyPath()));
  }

  // A session of `module` on this token with the user logged in.
  pkcs11::Session OpenUserSession(pkcs11::Module& module) const {
    pkcs11::Session session = Expect(module.OpenSession(Expect(module.FindToken(label_, serial_))));
    Expect(module.Login(session, pkcs11::UserType::kUser, user_pin_));
    return session;
  }

  // One more token in the same directory; its serial number.
  std::string Initialize(std::string_view label, const SecretBytes& so_pin,
                         const SecretBytes& user_pin) const {
    const auto module = Load();
    const pkcs11::SlotId slot = Expect(module->FindUninitialized());
    Expect(module->InitToken(slot, so_pin, label, user_pin));
    return Expect(module->GetTokenInfo(slot)).serial;
  }

  // The token's files vanish from under the module, and come back.
  void MoveAway() const { std::filesystem::rename(TokenDirectory(), directory_ / "away"); }
  void MoveBack() const { std::filesystem::rename(directory_ / "away", TokenDirectory()); }

 private:
  template <typename T>
  static T Expect(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message + " | " + result.error().cause);
    if constexpr (!std::is_void_v<T>) return *std::move(result);
  }

  void RemoveFolder() noexcept {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  const std::string label_;
  const SecretBytes so_pin_ = RandomPin();
  const SecretBytes user_pin_ = RandomPin();
  std::filesystem::path directory_;
  std::string serial_;
};

}  // namespace coffer::fakes
