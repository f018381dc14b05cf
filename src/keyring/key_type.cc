#include "coffer/keyring/key_type.h"

#include <algorithm>
#include <array>

namespace coffer::keyring {
namespace {

constexpr KeyTypeInfo AesGcm(KeyType type, std::string_view name, int bits) {
  return {.type = type,
          .name = name,
          .family = Family::kAesGcm,
          .bits = bits,
          .curve = "",
          .encrypts = true,
          .derives = true,
          .convergent = true,
          .associated_data = true};
}
constexpr KeyTypeInfo Rsa(KeyType type, std::string_view name, int bits) {
  return {.type = type,
          .name = name,
          .family = Family::kRsa,
          .bits = bits,
          .curve = name,
          .encrypts = true,
          .signs = true};
}
constexpr KeyTypeInfo Ecdsa(KeyType type, std::string_view name, int bits, std::string_view curve) {
  return {.type = type,
          .name = name,
          .family = Family::kEcdsa,
          .bits = bits,
          .curve = curve,
          .signs = true};
}
constexpr KeyTypeInfo Cmac(KeyType type, std::string_view name, int bits) {
  return {
      .type = type, .name = name, .family = Family::kCmac, .bits = bits, .curve = "", .cmac = true};
}

// The rows are in the order of the enumeration, which starts at 1.
constexpr std::array kTypes{
    AesGcm(KeyType::kAes128Gcm96, "aes128-gcm96", 128),
    AesGcm(KeyType::kAes256Gcm96, "aes256-gcm96", 256),
    Rsa(KeyType::kRsa2048, "rsa-2048", 2048),
    Rsa(KeyType::kRsa3072, "rsa-3072", 3072),
    Rsa(KeyType::kRsa4096, "rsa-4096", 4096),
    Ecdsa(KeyType::kEcdsaP256, "ecdsa-p256", 256, "P-256"),
    Ecdsa(KeyType::kEcdsaP384, "ecdsa-p384", 384, "P-384"),
    Ecdsa(KeyType::kEcdsaP521, "ecdsa-p521", 521, "P-521"),
    KeyTypeInfo{.type = KeyType::kEd25519,
                .name = "ed25519",
                .family = Family::kEd25519,
                .bits = 256,
                .curve = "ed25519",
                .signs = true,
                .derives = true},
    KeyTypeInfo{.type = KeyType::kHmac, .name = "hmac", .family = Family::kHmac, .curve = ""},
    Cmac(KeyType::kAes128Cmac, "aes128-cmac", 128),
    Cmac(KeyType::kAes192Cmac, "aes192-cmac", 192),
    Cmac(KeyType::kAes256Cmac, "aes256-cmac", 256),
    KeyTypeInfo{.type = KeyType::kChaCha20Poly1305,
                .name = "chacha20-poly1305",
                .family = Family::kChaCha20,
                .bits = 256,
                .curve = "",
                .encrypts = true,
                .derives = true,
                .convergent = true,
                .associated_data = true},
};

constexpr bool TypesInOrder() {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (static_cast<std::size_t>(kTypes[i].type) != i + 1) return false;
  }
  return true;
}
static_assert(TypesInOrder());

// A key type that other servers of this API know, and why this one refuses it.
struct RefusedType {
  std::string_view name;
  std::string_view why;
};
constexpr std::string_view kNoToken = "no token that it could be tested with makes such keys";
constexpr std::string_view kUnsealed = "its ciphertexts could be changed unseen";
constexpr std::string_view kOwnToken = "every key is kept by this server's own token";
constexpr std::array kRefused{
    RefusedType{"xchacha20-poly1305",
                "no token that it could be tested with takes nonces of 192 bits"},
    RefusedType{"ml-dsa", kNoToken},
    RefusedType{"mldsa-44", kNoToken},
    RefusedType{"mldsa-65", kNoToken},
    RefusedType{"mldsa-87", kNoToken},
    RefusedType{"slh-dsa", kNoToken},
    RefusedType{"hybrid", kNoToken},
    RefusedType{"ml-kem", kNoToken},
    RefusedType{"mlkem-512", kNoToken},
    RefusedType{"mlkem-768", kNoToken},
    RefusedType{"mlkem-1024", kNoToken},
    RefusedType{"ed448", "this release has no operations for it"},
    RefusedType{"aes128-cbc", kUnsealed},
    RefusedType{"aes256-cbc", kUnsealed},
    RefusedType{"managed_key", kOwnToken},
    RefusedType{"external-key", kOwnToken},
};

}  // namespace

std::span<const KeyTypeInfo> KeyTypes() { return kTypes; }

const KeyTypeInfo& InfoOf(KeyType type) { return kTypes.at(static_cast<std::size_t>(type) - 1); }

const KeyTypeInfo* FindKeyType(std::int64_t number) {
  if (number < 1 || number > static_cast<std::int64_t>(kTypes.size())) return nullptr;
  return &kTypes[static_cast<std::size_t>(number) - 1];
}

Result<KeyType> ParseKeyType(std::string_view name) {
  const auto* const found = std::ranges::find(kTypes, name, &KeyTypeInfo::name);
  if (found != kTypes.end()) return found->type;
  const auto* const refused = std::ranges::find(kRefused, name, &RefusedType::name);
  if (refused != kRefused.end()) {
    return Fail(Refusal::kKeyTypeUnsupported,
                {.name = std::string(name), .detail = std::string(refused->why)});
  }
  return Fail(Refusal::kKeyTypeUnknown, {.name = std::string(name)});
}

std::string_view KeyTypeName(KeyType type) { return InfoOf(type).name; }

std::string_view CustodyName(Custody custody) {
  switch (custody) {
    case Custody::kResident:
      return "resident";
    case Custody::kPublicOnly:
      return "public-key-only";
    case Custody::kWrapped:
      break;
  }
  return "wrapped";
}

std::string_view ImportedThroughName(ImportedThrough through) {
  switch (through) {
    case ImportedThrough::kToken:
      return "token";
    case ImportedThrough::kProcess:
      return "process";
    case ImportedThrough::kNone:
      break;
  }
  return "";
}

std::string_view KdfName(Kdf kdf) {
  switch (kdf) {
    case Kdf::kAesEcb1:
      return "coffer-kdf-aesecb-1";
    case Kdf::kHkdfSha256:
      return "hkdf_sha256";
    case Kdf::kNone:
      break;
  }
  return "";
}

std::optional<Kdf> FindKdf(std::int64_t number) {
  if (number < 0 || number > static_cast<std::int64_t>(Kdf::kHkdfSha256)) return std::nullopt;
  return static_cast<Kdf>(number);
}

}  // namespace coffer::keyring
