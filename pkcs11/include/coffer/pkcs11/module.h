#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/pkcs11/statistics.h"
#include "coffer/pkcs11/types.h"

namespace coffer::pkcs11 {

// How C_Initialize is called.
enum class Threading {
  kSingle,  // no locking: only one thread may use the module, at any time (it may change hands with
            // a happens-before)
  kOsLocking  // CKF_OS_LOCKING_OK
};

struct TokenInfo {
  std::string label;  // trailing blanks cut
  std::string serial;
  std::string model;
  std::string manufacturer;
  std::string firmware_version;  // "2.6"
  bool initialized = false;
  bool user_pin_initialized = false;
  bool user_pin_count_low = false;
  bool user_pin_final_try = false;
  bool user_pin_locked = false;
  unsigned long min_pin_octets = 0;
  unsigned long max_pin_octets = 0;
  unsigned long max_sessions = 0;  // 0: no limit known
};

struct ModuleInfo {
  std::string library_description;
  std::string library_version;
  std::string cryptoki_version;
};

class Session;

// A loaded and initialised PKCS#11 module. Destruction finalises it; the library stays mapped until
// the process ends (closing it would pull code from under OpenSSL's exit handlers). A Session that
// outlives its Module or a Reinitialize fails with kTokenLost and touches no token, but none may be
// in a call then. Never fork after Load: a child could use the parent's keys. Threads: as
// `Threading` says; Reinitialize and destruction only while no other call runs. Errors: FromCkRv's,
// and those named below.
class Module {
 public:
  // dlopens `library` by its path. With `copy_to` set, the file is first copied there (mode 0700)
  // and the copy is opened and unlinked: each copy is a separate library with sessions, login and
  // objects of its own, which is how several threads use a software token without sharing its
  // locks. Both paths are absolute; `copy_to` was not used before in this process and lies on a
  // file system that allows programs. kNotFound/kInvalid with a sentence naming the file and what
  // to do; kConflict where the process already uses the library and no copy was asked for.
  // `arguments`: the text that some modules need in C_Initialize's pReserved (NSS softokn:
  // "configdir='sql:/path' ..."); empty for all others.
  static Result<std::unique_ptr<Module>> Load(const std::filesystem::path& library,
                                              Threading threading,
                                              const std::filesystem::path& copy_to = {},
                                              const std::string& arguments = {});
  // Load's errors of the file itself, found by loading it without C_Initialize: no token is
  // touched. The library stays mapped.
  static Status Probe(const std::filesystem::path& library,
                      const std::filesystem::path& copy_to = {});
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // C_Finalize then C_Initialize: kills every session, handle and login. For recovery; no Session
  // may be in use.
  Status Reinitialize();
  Result<ModuleInfo> Info();
  // Slots with a token present.
  Result<std::vector<SlotId>> Slots();
  Result<TokenInfo> GetTokenInfo(SlotId slot);
  // The slot of the initialised token with this label (and serial, unless empty): never by slot
  // number, which may change. kNotFound "no token labelled X" with those there are; kConflict where
  // several match.
  Result<SlotId> FindToken(std::string_view label, std::string_view serial = {});
  // C_InitToken in `slot`, then InitUserPin: label up to 32 bytes.
  Status InitToken(SlotId slot, const SecretBytes& so_pin, std::string_view label,
                   const SecretBytes& user_pin);
  // C_InitPIN by the security officer, for a token that has no user PIN. One attempt with `so_pin`;
  // no other session may be open.
  Status InitUserPin(SlotId slot, const SecretBytes& so_pin, const SecretBytes& user_pin);
  // A slot whose token is not initialised yet; kNotFound.
  Result<SlotId> FindUninitialized();
  // The mechanisms the token lists. Lists lie: probe by doing before relying on them.
  Result<std::vector<MechanismType>> Mechanisms(SlotId slot);
  // Login belongs to the token, not to a session: one C_Login serves all sessions of this module on
  // `slot`, as long as one of them stays open. Exactly one attempt. Already logged in is success.
  Status Login(Session& session, UserType user, const SecretBytes& pin);
  Result<Session> OpenSession(SlotId slot);  // read-write
  // C_SetPIN for the user who is logged in on `session`. Exactly one attempt.
  Status ChangePin(Session& session, const SecretBytes& from, const SecretBytes& to);

  // Tells when the present call into the module began (a key pair's generation is given a minute
  // first); nothing where none is under way. For a watching thread, of a module with
  // Threading::kSingle: with several threads it tells of the latest call only. Any thread; it may
  // outlive the module.
  using CallSince = std::function<std::optional<std::chrono::steady_clock::time_point>()>;
  CallSince Calls() const;
  // Any thread.
  Statistics Counts() const;
  // How many objects were generated, unwrapped, derived, created or copied since the module was
  // last initialised: SoftHSM keeps some 250 bytes of each, also of destroyed ones, until
  // Reinitialize(). Any thread.
  std::uint64_t ObjectsMade() const;

  struct Impl;  // pkcs11/src only

 private:
  explicit Module(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::pkcs11
