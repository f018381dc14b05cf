#include "coffer/keyring/key.h"

#include <array>

namespace coffer::keyring {
namespace {

struct TypeName {
  KeyType type;
  std::string_view name;
};

constexpr std::array kTypeNames{TypeName{KeyType::kAes128Gcm96, "aes128-gcm96"},
                                TypeName{KeyType::kAes256Gcm96, "aes256-gcm96"}};

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Result<const WrappedVersion*> Present(const Key& key, int version) {
  const auto found = key.versions.find(version);
  if (found == key.versions.end()) return Fail(Code::kInvalid, "no such key version");
  return &found->second;
}

auto SoftDeleted() { return Fail(Code::kInvalid, "refusing to use soft-deleted key"); }

}  // namespace

Result<KeyType> ParseKeyType(std::string_view name) {
  for (const TypeName& entry : kTypeNames) {
    if (entry.name == name) return entry.type;
  }
  return Fail(Code::kInvalid, "unknown key type " + std::string(name));
}

std::string_view KeyTypeName(KeyType type) {
  for (const TypeName& entry : kTypeNames) {
    if (entry.type == type) return entry.name;
  }
  return "unknown";
}

Result<KeyName> KeyName::Parse(std::string_view text) {
  constexpr std::size_t kMaxOctets = 256;
  bool valid = !text.empty() && text.size() <= kMaxOctets && IsWordCharacter(text.front()) &&
               IsWordCharacter(text.back());
  for (const char c : text) valid = valid && (IsWordCharacter(c) || c == '-' || c == '.');
  if (!valid) return Fail(Code::kInvalid, "invalid key name");
  return KeyName(std::string(text));
}

Result<const WrappedVersion*> Key::ForEncryption(std::int64_t requested) const {
  if (settings.soft_deleted) return SoftDeleted();
  if (requested < 0) return Fail(Code::kInvalid, "requested version for encryption is negative");
  if (requested > latest_version) {
    return Fail(Code::kInvalid,
                "requested version for encryption is higher than the latest key version");
  }
  const int version = requested == 0 ? latest_version : static_cast<int>(requested);
  if (version < settings.min_encryption_version) {
    return Fail(Code::kInvalid,
                "requested version for encryption is less than the minimum encryption key version");
  }
  return Present(*this, version);
}

Result<const WrappedVersion*> Key::ForDecryption(std::int64_t version) const {
  if (settings.soft_deleted) return SoftDeleted();
  if (version < 0) {
    return Fail(Code::kInvalid, "invalid ciphertext: version number could not be decoded");
  }
  if (version == 0) version = 1;
  if (version > latest_version) {
    return Fail(Code::kInvalid, "invalid ciphertext: version is too new");
  }
  if (version < settings.min_decryption_version) {
    return Fail(Code::kInvalid,
                "ciphertext or signature version is disallowed by policy (too old)");
  }
  return Present(*this, static_cast<int>(version));
}

}  // namespace coffer::keyring
