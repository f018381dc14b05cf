#include "coffer/keyring/key.h"

namespace coffer::keyring {
namespace {

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Result<const KeyVersion*> Present(const Key& key, int version) {
  const auto found = key.versions.find(version);
  if (found == key.versions.end()) return Fail(Code::kInvalid, "no such key version");
  return &found->second;
}

auto SoftDeleted() { return Fail(Code::kInvalid, "refusing to use soft-deleted key"); }

}  // namespace

Result<KeyName> KeyName::Parse(std::string_view text) {
  constexpr std::size_t kMaxOctets = 256;
  bool valid = !text.empty() && text.size() <= kMaxOctets && IsWordCharacter(text.front()) &&
               IsWordCharacter(text.back());
  for (const char c : text) valid = valid && (IsWordCharacter(c) || c == '-' || c == '.');
  if (!valid) return Fail(Code::kInvalid, "invalid key name");
  return KeyName(std::string(text));
}

Result<const KeyVersion*> Key::ToMake(std::int64_t requested, std::string_view what) const {
  const auto refuse = [&](const char* why) {
    return Fail(Code::kInvalid, "requested version for " + std::string(what) + why);
  };
  if (settings.soft_deleted) return SoftDeleted();
  if (requested < 0) return refuse(" is negative");
  if (requested > latest_version) return refuse(" is higher than the latest key version");
  const int version = requested == 0 ? latest_version : static_cast<int>(requested);
  if (version < settings.min_encryption_version) {
    return refuse(" is less than the minimum encryption key version");
  }
  return Present(*this, version);
}

Result<const KeyVersion*> Key::ForEncryption(std::int64_t requested) const {
  return ToMake(requested, "encryption");
}

Result<const KeyVersion*> Key::ForSigning(std::int64_t requested) const {
  return ToMake(requested, "signing");
}

Result<const KeyVersion*> Key::ForMac(std::int64_t requested) const {
  if (settings.soft_deleted) return SoftDeleted();
  if (requested < 0 || requested > latest_version) {
    return Fail(Code::kInvalid, "key version does not exist; latest key version is " +
                                    std::to_string(latest_version));
  }
  const int version = requested == 0 ? latest_version : static_cast<int>(requested);
  if (version < settings.min_encryption_version) {
    return Fail(Code::kInvalid, "cannot generate HMAC: version is too old (disallowed by policy)");
  }
  return Present(*this, version);
}

Result<const KeyVersion*> Key::ThatMade(std::int64_t version, std::string_view what,
                                        std::string_view too_old) const {
  if (settings.soft_deleted) return SoftDeleted();
  const std::string invalid = "invalid " + std::string(what);
  if (version < 0) {
    return Fail(Code::kInvalid, invalid + ": version number could not be decoded");
  }
  if (version == 0) version = 1;
  if (version > latest_version) return Fail(Code::kInvalid, invalid + ": version is too new");
  if (version < settings.min_decryption_version) {
    return Fail(Code::kInvalid, std::string(too_old));
  }
  return Present(*this, static_cast<int>(version));
}

Result<const KeyVersion*> Key::ForDecryption(std::int64_t version) const {
  return ThatMade(version, "ciphertext",
                  "ciphertext or signature version is disallowed by policy (too old)");
}

Result<const KeyVersion*> Key::ForVerification(std::int64_t version) const {
  return ThatMade(version, "signature",
                  "ciphertext or signature version is disallowed by policy (too old)");
}

Result<const KeyVersion*> Key::ForMacVerification(std::int64_t version) const {
  return ThatMade(version, "HMAC", "cannot verify HMAC: version is too old (disallowed by policy)");
}

}  // namespace coffer::keyring
