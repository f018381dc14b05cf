#include "coffer/keyring/key.h"

namespace coffer::keyring {
namespace {

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Result<const KeyVersion*> Present(const Key& key, int version) {
  const auto found = key.versions.find(version);
  if (found == key.versions.end()) return Fail(Refusal::kNoSuchKeyVersion);
  return &found->second;
}

auto SoftDeleted() { return Fail(Refusal::kKeySoftDeleted); }

}  // namespace

bool KeyName::IsGeneric(std::string_view text) {
  bool valid = !text.empty() && IsWordCharacter(text.front()) && IsWordCharacter(text.back());
  for (const char c : text) valid = valid && (IsWordCharacter(c) || c == '-' || c == '.');
  return valid;
}

Result<KeyName> KeyName::Parse(std::string_view text) {
  if (!IsGeneric(text)) return Fail(Refusal::kKeyNameInvalid);
  if (text.size() > kMaxBytes) {
    return Fail(Refusal::kKeyNameTooLong,
                {.given = static_cast<std::int64_t>(text.size()), .bound = kMaxBytes});
  }
  return KeyName(std::string(text));
}

// Every operation that makes something asks this rule. What is below min_decryption_version could
// not be decrypted or verified afterwards.
Result<const KeyVersion*> Key::ToMake(std::int64_t requested, Purpose purpose) const {
  if (settings.soft_deleted) return SoftDeleted();
  if (requested < 0)
    return Fail(Refusal::kVersionNegative, {.purpose = purpose, .given = requested});
  if (requested > latest_version) {
    return Fail(Refusal::kAboveLatestVersion,
                {.purpose = purpose, .given = requested, .bound = latest_version});
  }
  const int version = requested == 0 ? latest_version : static_cast<int>(requested);
  const bool obeys_min_encryption = purpose != Purpose::kCertificateRequest;
  if (obeys_min_encryption && version < settings.min_encryption_version) {
    return Fail(Refusal::kBelowMinEncryptionVersion,
                {.purpose = purpose, .given = version, .bound = settings.min_encryption_version});
  }
  if (version < settings.min_decryption_version) return TooOld(version, purpose);
  return Present(*this, version);
}

Result<const KeyVersion*> Key::ThatMade(std::int64_t version, Purpose purpose) const {
  if (settings.soft_deleted) return SoftDeleted();
  if (version < 0) return Fail(Refusal::kVersionNegative, {.purpose = purpose, .given = version});
  if (version > latest_version) {
    return Fail(Refusal::kAboveLatestVersion,
                {.purpose = purpose, .given = version, .bound = latest_version});
  }
  if (version < settings.min_decryption_version) return TooOld(version, purpose);
  return Present(*this, static_cast<int>(version));
}

Result<const KeyVersion*> Key::TooOld(std::int64_t version, Purpose purpose) const {
  return Fail(Refusal::kBelowMinDecryptionVersion,
              {.purpose = purpose, .given = version, .bound = settings.min_decryption_version});
}

Result<const KeyVersion*> Key::ForEncryption(std::int64_t requested) const {
  return ToMake(requested, Purpose::kEncryption);
}

Result<const KeyVersion*> Key::ForSigning(std::int64_t requested) const {
  return ToMake(requested, Purpose::kSigning);
}

Result<const KeyVersion*> Key::ForCertificateRequest(std::int64_t requested) const {
  return ToMake(requested, Purpose::kCertificateRequest);
}

Result<const KeyVersion*> Key::ForMac(std::int64_t requested) const {
  return ToMake(requested, Purpose::kMac);
}

Result<const KeyVersion*> Key::ForDecryption(std::int64_t version) const {
  return ThatMade(version == 0 ? 1 : version, Purpose::kDecryption);
}

Result<const KeyVersion*> Key::ForVerification(std::int64_t version) const {
  return ThatMade(version, Purpose::kVerification);
}

Result<const KeyVersion*> Key::ForMacVerification(std::int64_t version) const {
  return ThatMade(version, Purpose::kMacVerification);
}

}  // namespace coffer::keyring
