#include "keyring/pkcs11_token.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "keyring/key_recipes.h"
#include "keyring/lost.h"

namespace coffer::keyring {
namespace {

using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::MechanismType;

Attributes Labelled(std::string_view label) {
  Attributes attributes;
  attributes.Add(AttributeType::kLabel, label);
  return attributes;
}

Attributes EpochObjects() {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, pkcs11::ObjectClass::kData)
      .Add(AttributeType::kApplication, kEpochApplication);
  return attributes;
}

// The epoch that the object holds; nothing if a crash tore it or if it is not an epoch object.
std::optional<Token::Epoch> ReadEpochObject(pkcs11::Session& session, pkcs11::ObjectHandle object) {
  const auto label = session.GetBytes(object, AttributeType::kLabel);
  const auto database = session.GetBytes(object, AttributeType::kValue);
  if (!label || !database) return std::nullopt;
  const auto id = Id::FromBytes(*database);
  const auto value = ParseEpochLabel(AsText(*label));
  if (!id || !value) return std::nullopt;
  return Token::Epoch{*id, *value};
}

Status SyncPath(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return {};  // vanished between listing and opening
  if (fd < 0) return Fail(Code::kUnavailable, "failed to sync the token's files to the disk");
  const int failed = ::fsync(fd);
  ::close(fd);
  if (failed != 0) return Fail(Code::kUnavailable, "failed to sync the token's files to the disk");
  return {};
}

}  // namespace

Status SyncDirectory(const std::filesystem::path& directory) {
  if (directory.empty()) return {};
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    COFFER_TRY(SyncPath(it->path()));
  }
  if (error) return Lost(error.message());
  return SyncPath(directory);
}

Result<std::unique_ptr<Pkcs11Token>> Pkcs11Token::Open(std::unique_ptr<pkcs11::Module> module,
                                                       const TokenLocation& location,
                                                       std::shared_ptr<Login> login) {
  std::unique_ptr<Pkcs11Token> token(
      new Pkcs11Token(std::move(module), location, std::move(login)));
  COFFER_TRY(token->Start());
  return token;
}

Status Pkcs11Token::Start() {
  const auto slot = module_->FindToken(location_.label, location_.serial);
  if (!slot && slot.error().code == Code::kNotFound) {
    return Fail(Code::kNotFound,
                slot.error().message +
                    ": bring the token back, its keys are nowhere else; for a new server run "
                    "coffer hsm init first");
  }
  if (!slot) return Fail(slot.error());
  slot_ = *slot;
  COFFER_ASSIGN(const pkcs11::TokenInfo info, module_->GetTokenInfo(slot_));
  serial_ = info.serial;
  if (info.user_pin_locked) {
    return Fail(Code::kPinLocked,
                "the token's user PIN is locked: the security officer must reset it");
  }
  COFFER_ASSIGN(session_, module_->OpenSession(slot_));
  COFFER_TRY(module_->Login(*session_, pkcs11::UserType::kUser, login_->pin));
  if (!login_->profile) {
    COFFER_ASSIGN(const TokenTrial trial, TryToken(*module_, slot_));
    COFFER_ASSIGN(login_->profile, SettingsOf(trial));
  }
  return FindObjects();
}

Status Pkcs11Token::FindObjects() {
  audit_key_.reset();
  maker_.Forget();
  COFFER_TRY(FindMasters());
  COFFER_ASSIGN(const std::vector<pkcs11::ObjectHandle> meta, session_->Find(Labelled(kMetaLabel)));
  if (masters_.empty() || meta.empty()) {
    return Fail(Code::kNotFound, "token " + location_.label +
                                     " has no coffer master keys: run coffer hsm init first");
  }
  if (meta.size() > 1) {
    return Fail(Code::kTokenRefused, "token holds more than one object labelled coffer-meta");
  }
  meta_ = meta.front();
  COFFER_TRY(VerifyObject(*session_, meta_, MetaRecipe()));
  return FindResidents();
}

void Pkcs11Token::Destroy(TokenHandle handle) {
  if (session_) static_cast<void>(session_->DestroyObject(handle));
}

Status Pkcs11Token::Encrypt(TokenHandle key, Cipher cipher, ByteView nonce, ByteView aad,
                            ByteView in, MutableBytes out) {
  if (!session_) return Lost();
  const auto written = cipher == Cipher::kAesGcm
                           ? session_->EncryptGcm(key, {nonce, aad}, in, out)
                           : session_->EncryptChaCha20Poly1305(key, {nonce, aad}, in, out);
  if (!written) return Fail(written.error());
  if (*written != in.size() + pkcs11::kAeadTagBytes) {
    return Fail(Code::kTokenFailed, "token returned a ciphertext of the wrong length");
  }
  return {};
}

Status Pkcs11Token::Decrypt(TokenHandle key, Cipher cipher, ByteView nonce, ByteView aad,
                            ByteView in, MutableBytes out) {
  if (!session_) return Lost();
  const auto written = cipher == Cipher::kAesGcm
                           ? session_->DecryptGcm(key, {nonce, aad}, in, out)
                           : session_->DecryptChaCha20Poly1305(key, {nonce, aad}, in, out);
  if (!written) {
    if (written.error().code != Code::kTokenFailed &&
        written.error().code != Code::kAuthenticationFailed) {
      return Fail(written.error());
    }
    // A bad tag and a broken session may give the same error. A MAC that must succeed tells them
    // apart.
    if (const auto canary = MetaMac(AsBytes("coffer canary")); !canary) return Lost(canary.error());
    return Fail(Refusal::kNotAuthentic, {}, written.error().cause);
  }
  if (*written + pkcs11::kAeadTagBytes != in.size()) {
    return Fail(Code::kTokenFailed, "token returned a plaintext of the wrong length");
  }
  return {};
}

Result<Mac> Pkcs11Token::MetaMac(ByteView data) {
  Mac mac{};
  if (!session_) return Lost();
  COFFER_ASSIGN(const std::size_t written,
                session_->Sign(MechanismType::kSha256Hmac, meta_, data, mac));
  if (written != mac.size())
    return Fail(Code::kTokenFailed, "token returned a MAC of the wrong length");
  return mac;
}

Status Pkcs11Token::Random(MutableBytes out) {
  if (!session_) return Lost();
  return session_->GenerateRandom(out);
}

Status Pkcs11Token::Sync() const { return SyncDirectory(location_.objects_directory); }

Result<const AuditKey*> Pkcs11Token::FoundAuditKey() {
  if (!session_) return Lost();
  if (!audit_key_) {
    COFFER_ASSIGN(audit_key_, FindAuditKey(*session_));
  }
  return &*audit_key_;
}

Result<Bytes> Pkcs11Token::AuditPoint() {
  auto key = FoundAuditKey();
  if (!key && key.error().code == Code::kNotFound) {
    COFFER_TRY(MakeAuditKey(*session_));
    COFFER_TRY(Sync());
    key = FoundAuditKey();
  }
  if (!key) return Fail(key.error());
  return (*key)->point;
}

Result<Bytes> Pkcs11Token::SignAudit(ByteView digest) {
  COFFER_ASSIGN(const AuditKey* const key, FoundAuditKey());
  return SignDigest(*session_, *key, digest);
}

Result<Token::Epoch> Pkcs11Token::ReadEpoch() {
  COFFER_ASSIGN(const std::vector<pkcs11::ObjectHandle> objects, session_->Find(EpochObjects()));
  std::optional<Epoch> newest;
  for (const pkcs11::ObjectHandle object : objects) {
    const std::optional<Epoch> epoch = ReadEpochObject(*session_, object);
    if (epoch && (!newest || epoch->value > newest->value)) newest = epoch;
  }
  if (!newest) {
    return Fail(Code::kNotFound, "token has no readable epoch object: run coffer hsm init first");
  }
  return *newest;
}

Status Pkcs11Token::WriteEpoch(const Epoch& epoch) {
  COFFER_ASSIGN(const std::vector<pkcs11::ObjectHandle> objects, session_->Find(EpochObjects()));
  // Two objects are written in turn, the older first: SoftHSM rewrites an object's file in place,
  // and a crash may tear it.
  std::optional<pkcs11::ObjectHandle> oldest;
  std::uint64_t oldest_value = 0;
  for (const pkcs11::ObjectHandle object : objects) {
    const std::optional<Epoch> stored = ReadEpochObject(*session_, object);
    const std::uint64_t value = stored ? stored->value : 0;
    if (!oldest || value < oldest_value) {
      oldest = object;
      oldest_value = value;
    }
  }
  if (objects.size() < 2) {
    if (const auto made = maker_.Create(*session_, EpochRecipe(epoch)); !made)
      return Lost(made.error());
  } else {
    Attributes label;
    label.Add(AttributeType::kLabel, EpochLabel(epoch.value));
    if (const Status set = session_->SetAttributes(*oldest, label); !set) return Lost(set.error());
  }
  return SyncDirectory(location_.objects_directory);
}

Status Pkcs11Token::Probe() {
  const auto info = module_->GetTokenInfo(slot_);
  if (!info) return Lost(info.error());
  const auto mac = MetaMac(AsBytes("coffer probe"));
  if (!mac) return Lost(mac.error());
  return {};
}

Status Pkcs11Token::Reopen() {
  session_.reset();
  if (login_->refused.load()) {
    return Lost("its PIN was refused before");
  }
  Status started = module_->Reinitialize();
  if (started) started = Start();
  if (!started) {
    session_.reset();
    const Code code = started.error().code;
    // No instance tries a refused PIN again, because tokens lock after a few attempts.
    if (code == Code::kPinIncorrect || code == Code::kPinLocked) login_->refused.store(true);
    return Lost(started.error());
  }
  return {};
}

}  // namespace coffer::keyring
