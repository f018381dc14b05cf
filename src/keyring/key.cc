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

bool KeyName::IsGeneric(std::string_view text) {
  bool valid = !text.empty() && IsWordCharacter(text.front()) && IsWordCharacter(text.back());
  for (const char c : text) valid = valid && (IsWordCharacter(c) || c == '-' || c == '.');
  return valid;
}

Result<KeyName> KeyName::Parse(std::string_view text) {
  if (!IsGeneric(text)) return Fail(Code::kInvalid, "invalid key name");
  if (text.size() > kMaxBytes) {
    return Fail(Code::kInvalid, "invalid key name: it has " + std::to_string(text.size()) +
                                    " bytes, and the limit is " + std::to_string(kMaxBytes));
  }
  return KeyName(std::string(text));
}

// Every operation that makes something asks this rule. What is below min_decryption_version could
// not be decrypted or verified afterwards.
Result<const KeyVersion*> Key::ToMake(std::int64_t requested, const MakingTexts& texts) const {
  const auto refuse = [](std::string_view why) { return Fail(Code::kInvalid, std::string(why)); };
  if (settings.soft_deleted) return SoftDeleted();
  if (requested < 0) return refuse(texts.negative);
  if (requested > latest_version) return refuse(texts.too_new);
  const int version = requested == 0 ? latest_version : static_cast<int>(requested);
  const bool obeys_min_encryption = !texts.too_old.empty();
  if (obeys_min_encryption && version < settings.min_encryption_version) {
    return refuse(texts.too_old);
  }
  if (version < settings.min_decryption_version) return refuse("no such key version");
  return Present(*this, version);
}

Result<const KeyVersion*> Key::ForEncryption(std::int64_t requested) const {
  return ToMake(
      requested,
      {"requested version for encryption is negative",
       "requested version for encryption is higher than the latest key version",
       "requested version for encryption is less than the minimum encryption key version"});
}

Result<const KeyVersion*> Key::ForSigning(std::int64_t requested) const {
  return ToMake(requested,
                {"requested version for signing is negative",
                 "requested version for signing is higher than the latest key version",
                 "requested version for signing is less than the minimum encryption key version"});
}

Result<const KeyVersion*> Key::ForCertificateRequest(std::int64_t requested) const {
  return ToMake(requested, {"no such key version", "no such key version", ""});
}

Result<const KeyVersion*> Key::ForMac(std::int64_t requested) const {
  std::string too_new;
  if (requested > latest_version) {
    too_new = "key version does not exist; latest key version is " + std::to_string(latest_version);
  }
  return ToMake(requested, {"key version does not exist (cannot be negative)", too_new,
                            "cannot generate HMAC: version is too old (disallowed by policy)"});
}

Result<const KeyVersion*> Key::ThatMade(std::int64_t version, std::string_view what,
                                        std::string_view too_old) const {
  if (settings.soft_deleted) return SoftDeleted();
  const std::string invalid = "invalid " + std::string(what);
  if (version < 0) {
    return Fail(Code::kInvalid, invalid + ": version number could not be decoded");
  }
  if (version > latest_version) return Fail(Code::kInvalid, invalid + ": version is too new");
  if (version < settings.min_decryption_version) {
    return Fail(Code::kInvalid, std::string(too_old));
  }
  return Present(*this, static_cast<int>(version));
}

Result<const KeyVersion*> Key::ForDecryption(std::int64_t version) const {
  return ThatMade(version == 0 ? 1 : version, "ciphertext",
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
