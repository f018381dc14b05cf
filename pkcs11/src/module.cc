#include "coffer/pkcs11/module.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "coffer/pkcs11/error.h"
#include "coffer/pkcs11/session.h"
#include "module_file.h"

namespace coffer::pkcs11 {
namespace {

constexpr std::size_t kLabelOctets = 32;
// A token that lists more is broken; the bound keeps its answer from sizing our memory.
constexpr CK_ULONG kMaxListed = 65'536;

template <std::size_t N>
std::string Trimmed(const CK_UTF8CHAR (&field)[N]) {
  std::string_view text(reinterpret_cast<const char*>(field), N);
  // Fields are blank-padded by the standard; some tokens pad with NUL.
  const std::size_t last = text.find_last_not_of(std::string_view(" \0", 2));
  return std::string(text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

// Describes a token in error texts. The token chooses its label, which must not control a terminal.
std::string Described(const TokenInfo& info) {
  std::string text = "\"" + info.label + "\" (serial number " + info.serial + ")";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

std::string ToText(const CK_VERSION& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

unsigned long KnownOrZero(CK_ULONG count) {
  return count == CK_UNAVAILABLE_INFORMATION || count == CK_EFFECTIVELY_INFINITE ? 0 : count;
}

CK_UTF8CHAR* PinPointer(const SecretBytes& pin) { return InputPointer(pin.Reveal()); }

// Reads a list whose length the token tells first, e.g. C_GetSlotList; it may grow in between.
template <typename Number, typename Call>
Result<std::vector<Number>> ReadList(const char* function, const Call& call) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    CK_ULONG count = 0;
    if (const CK_RV rv = call(nullptr, &count); rv != CKR_OK) return Fail(FromCkRv(rv, function));
    if (count > kMaxListed) {
      return Fail(Code::kTokenFailed, "the token failed",
                  std::string(function) + ": it lists " + std::to_string(count) + " entries");
    }
    std::vector<Number> list(std::max<CK_ULONG>(count, 1));
    CK_ULONG filled = list.size();
    const CK_RV rv = call(list.data(), &filled);
    if (rv == CKR_BUFFER_TOO_SMALL) continue;
    if (rv != CKR_OK) return Fail(FromCkRv(rv, function));
    if (filled > list.size()) {
      return Fail(Code::kTokenFailed, "the token failed",
                  std::string(function) + ": more entries than there was room for");
    }
    list.resize(filled);
    return list;
  }
  return Fail(FromCkRv(CKR_BUFFER_TOO_SMALL, function));
}

}  // namespace

// NSS softokn's arguments have one member more after the standard's members, and hold its text in
// the place of pReserved.
struct InitializeArguments {
  CK_C_INITIALIZE_ARGS standard{};
  void* reserved_behind = nullptr;
};

struct Module::Impl {
  Impl(CK_FUNCTION_LIST* functions, Threading how, std::string text)
      : state(std::make_shared<ModuleState>(functions)),
        threading(how),
        arguments(std::move(text)) {}

  CK_RV Initialize() {
    InitializeArguments initialize;
    if (threading == Threading::kOsLocking) initialize.standard.flags = CKF_OS_LOCKING_OK;
    if (!arguments.empty()) initialize.standard.pReserved = arguments.data();
    const bool none = threading == Threading::kSingle && arguments.empty();
    return state->functions->C_Initialize(none ? nullptr : &initialize);
  }

  Status Finalize() const {
    state->generation.fetch_add(1);  // first: from here on no Session may use its handle
    state->counters.open_sessions.store(0, std::memory_order_relaxed);
    state->objects_made.store(0, std::memory_order_relaxed);
    const CK_RV rv = state->functions->C_Finalize(nullptr);
    if (rv != CKR_OK && rv != CKR_CRYPTOKI_NOT_INITIALIZED) {
      return Fail(FromCkRv(rv, "C_Finalize"));
    }
    return {};
  }

  const std::shared_ptr<ModuleState> state;
  const Threading threading;
  std::string arguments;
};

Module::Module(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Module>> Module::Load(const std::filesystem::path& library,
                                             Threading threading,
                                             const std::filesystem::path& copy_to,
                                             const std::string& arguments) {
  COFFER_ASSIGN(CK_FUNCTION_LIST * functions, OpenModuleFile(library, copy_to));
  auto impl = std::make_unique<Impl>(functions, threading, arguments);
  if (const CK_RV rv = impl->Initialize(); rv != CKR_OK) {
    const bool in_use = rv == CKR_CRYPTOKI_ALREADY_INITIALIZED;
    return Fail(in_use ? Code::kConflict : Code::kInvalid,
                "failed to initialise the pkcs11 module " + library.string() +
                    (in_use ? ": this process already uses it; load a copy"
                            : ": check its configuration (for softhsm the file named by "
                              "SOFTHSM2_CONF and the token directory in it)"),
                FromCkRv(rv, "C_Initialize").cause);
  }
  return std::unique_ptr<Module>(new Module(std::move(impl)));
}

Status Module::Probe(const std::filesystem::path& library, const std::filesystem::path& copy_to) {
  COFFER_TRY(OpenModuleFile(library, copy_to));
  return {};
}

Module::~Module() {
  const Status finalized = impl_->Finalize();
  static_cast<void>(finalized);  // nobody is left to be told
}

Module::CallSince Module::Calls() const {
  return [state = impl_->state]() -> std::optional<std::chrono::steady_clock::time_point> {
    const std::int64_t since = state->functions.Since();
    if (since == 0) return std::nullopt;
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(since));
  };
}

Statistics Module::Counts() const {
  Statistics sum;
  impl_->state->counters.AddTo(sum);
  return sum;
}

std::uint64_t Module::ObjectsMade() const {
  return impl_->state->objects_made.load(std::memory_order_relaxed);
}

Status Module::Reinitialize() {
  COFFER_TRY(impl_->Finalize());
  const CK_RV rv = impl_->Initialize();
  if (rv != CKR_OK) return Fail(FromCkRv(rv, "C_Initialize"));
  return {};
}

Result<ModuleInfo> Module::Info() {
  CK_INFO info{};
  if (const CK_RV rv = impl_->state->functions->C_GetInfo(&info); rv != CKR_OK) {
    return Fail(FromCkRv(rv, "C_GetInfo"));
  }
  return ModuleInfo{Trimmed(info.libraryDescription), ToText(info.libraryVersion),
                    ToText(info.cryptokiVersion)};
}

Result<std::vector<SlotId>> Module::Slots() {
  return ReadList<SlotId>("C_GetSlotList", [this](CK_SLOT_ID* list, CK_ULONG* count) {
    return impl_->state->functions->C_GetSlotList(CK_TRUE, list, count);
  });
}

Result<TokenInfo> Module::GetTokenInfo(SlotId slot) {
  CK_TOKEN_INFO raw{};
  if (const CK_RV rv = impl_->state->functions->C_GetTokenInfo(slot, &raw); rv != CKR_OK) {
    return Fail(FromCkRv(rv, "C_GetTokenInfo"));
  }
  const auto has = [&raw](CK_FLAGS flag) { return (raw.flags & flag) != 0; };
  TokenInfo info;
  info.label = Trimmed(raw.label);
  info.serial = Trimmed(raw.serialNumber);
  info.model = Trimmed(raw.model);
  info.manufacturer = Trimmed(raw.manufacturerID);
  info.firmware_version = ToText(raw.firmwareVersion);
  info.initialized = has(CKF_TOKEN_INITIALIZED);
  info.user_pin_initialized = has(CKF_USER_PIN_INITIALIZED);
  info.user_pin_count_low = has(CKF_USER_PIN_COUNT_LOW);
  info.user_pin_final_try = has(CKF_USER_PIN_FINAL_TRY);
  info.user_pin_locked = has(CKF_USER_PIN_LOCKED);
  info.min_pin_octets = raw.ulMinPinLen;
  info.max_pin_octets = raw.ulMaxPinLen;
  info.max_sessions = KnownOrZero(raw.ulMaxSessionCount);
  return info;
}

Result<SlotId> Module::FindToken(std::string_view label, std::string_view serial) {
  COFFER_ASSIGN(const std::vector<SlotId> slots, Slots());
  std::optional<SlotId> found;
  std::string others;
  std::optional<Error> unreadable;
  for (const SlotId slot : slots) {
    Result<TokenInfo> info = GetTokenInfo(slot);
    if (!info) {
      unreadable = std::move(info).error();
      continue;
    }
    if (!info->initialized) continue;
    if (info->label != label || (!serial.empty() && info->serial != serial)) {
      others += (others.empty() ? "" : ", ") + Described(*info);
      continue;
    }
    if (found) {
      return Fail(Code::kConflict, "several tokens are labelled \"" + std::string(label) +
                                       "\"; name the serial number too");
    }
    found = slot;
  }
  if (found) return *found;
  if (unreadable) return Fail(*std::move(unreadable));
  return Fail(Code::kNotFound,
              "no token labelled \"" + std::string(label) + "\"" +
                  (serial.empty() ? "" : " with serial number " + std::string(serial)) +
                  (others.empty() ? "; there is no other" : "; there are " + others));
}

Result<SlotId> Module::FindUninitialized() {
  COFFER_ASSIGN(const std::vector<SlotId> slots, Slots());
  for (const SlotId slot : slots) {
    const Result<TokenInfo> info = GetTokenInfo(slot);
    if (info && !info->initialized) return slot;
  }
  return Fail(Code::kNotFound, "no slot holds a token that is still to be initialised");
}

Status Module::InitToken(SlotId slot, const SecretBytes& so_pin, std::string_view label,
                         const SecretBytes& user_pin) {
  if (label.empty() || label.size() > kLabelOctets) {
    return Fail(Code::kInvalid, "a token's label has 1 to 32 bytes");
  }
  CK_UTF8CHAR padded[kLabelOctets];
  std::fill(std::begin(padded), std::end(padded), static_cast<CK_UTF8CHAR>(' '));
  std::copy(label.begin(), label.end(), padded);
  const Functions& functions = impl_->state->functions;
  if (const CK_RV rv = functions->C_InitToken(slot, PinPointer(so_pin), so_pin.size(), padded);
      rv != CKR_OK) {
    return Fail(FromCkRv(rv, "C_InitToken"));
  }
  return InitUserPin(slot, so_pin, user_pin);
}

Status Module::InitUserPin(SlotId slot, const SecretBytes& so_pin, const SecretBytes& user_pin) {
  const Functions& functions = impl_->state->functions;
  COFFER_ASSIGN(Session session, OpenSession(slot));
  COFFER_TRY(Login(session, UserType::kSecurityOfficer, so_pin));
  const CK_RV rv = functions->C_InitPIN(session.handle_, PinPointer(user_pin), user_pin.size());
  // C_Logout ends the login of all sessions of this process on the slot. The caller has no other
  // session open (module.h), so it ends only this one.
  const CK_RV logout = functions->C_Logout(session.handle_);
  if (rv != CKR_OK) return Fail(FromCkRv(rv, "C_InitPIN"));
  if (logout != CKR_OK) return Fail(FromCkRv(logout, "C_Logout"));
  return {};
}

Result<std::vector<MechanismType>> Module::Mechanisms(SlotId slot) {
  static_assert(sizeof(MechanismType) == sizeof(CK_MECHANISM_TYPE));
  COFFER_ASSIGN(const std::vector<CK_MECHANISM_TYPE> raw,
                ReadList<CK_MECHANISM_TYPE>(
                    "C_GetMechanismList", [this, slot](CK_MECHANISM_TYPE* list, CK_ULONG* count) {
                      return impl_->state->functions->C_GetMechanismList(slot, list, count);
                    }));
  std::vector<MechanismType> mechanisms;
  mechanisms.reserve(raw.size());
  for (const CK_MECHANISM_TYPE type : raw) mechanisms.push_back(static_cast<MechanismType>(type));
  return mechanisms;
}

Status Module::Login(Session& session, UserType user, const SecretBytes& pin) {
  if (session.module_ != impl_->state) {
    return Fail(Code::kInvalid, "the session belongs to another module");
  }
  COFFER_TRY(session.CheckAlive());
  const CK_USER_TYPE type = user == UserType::kSecurityOfficer ? CKU_SO : CKU_USER;
  const CK_RV rv =
      impl_->state->functions->C_Login(session.handle_, type, PinPointer(pin), pin.size());
  if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN) return Fail(FromCkRv(rv, "C_Login"));
  return {};
}

Status Module::ChangePin(Session& session, const SecretBytes& from, const SecretBytes& to) {
  if (session.module_ != impl_->state) {
    return Fail(Code::kInvalid, "the session belongs to another module");
  }
  COFFER_TRY(session.CheckAlive());
  const CK_RV rv = impl_->state->functions->C_SetPIN(session.handle_, PinPointer(from), from.size(),
                                                     PinPointer(to), to.size());
  if (rv != CKR_OK) return Fail(FromCkRv(rv, "C_SetPIN"));
  return {};
}

Result<Session> Module::OpenSession(SlotId slot) {
  CK_SESSION_HANDLE handle = 0;
  const CK_RV rv = impl_->state->functions->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                                          nullptr, nullptr, &handle);
  if (rv != CKR_OK) return Fail(FromCkRv(rv, "C_OpenSession"));
  impl_->state->counters.open_sessions.fetch_add(1, std::memory_order_relaxed);
  return Session(impl_->state, handle);
}

}  // namespace coffer::pkcs11
