#include "keyring/import_wrapping.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "coffer/crypto/rsa_padding.h"
#include "coffer/pkcs11/parameters.h"
#include "keyring/key_recipes.h"
#include "keyring/object_names.h"
#include "keyring/passing_object.h"

namespace coffer::keyring {
namespace {

using crypto::HashAlgorithm;
using pkcs11::Attributes;
using pkcs11::AttributeType;
using pkcs11::Mechanism;
using pkcs11::MechanismType;
using pkcs11::ObjectClass;
using pkcs11::ObjectHandle;

constexpr unsigned long kWrappingBits = 4096;
constexpr MechanismType kEphemeralWraps = MechanismType::kAesKeyWrapPad;
constexpr std::size_t kEphemeralKeyBytes = 32;

// A hash that clients may wrap with. SHA-256 is what they use by themselves.
struct OaepHash {
  HashAlgorithm hash;
  MechanismType mechanism;
  std::string_view name;
};
constexpr std::array kOaepHashes{
    OaepHash{HashAlgorithm::kSha256, MechanismType::kSha256, "SHA256"},
    OaepHash{HashAlgorithm::kSha1, MechanismType::kSha1, "SHA1"},
    OaepHash{HashAlgorithm::kSha224, MechanismType::kSha224, "SHA224"},
    OaepHash{HashAlgorithm::kSha384, MechanismType::kSha384, "SHA384"},
    OaepHash{HashAlgorithm::kSha512, MechanismType::kSha512, "SHA512"}};

std::string_view LabelOf(ImportedThrough through) {
  return through == ImportedThrough::kProcess ? kImportDevLabel : kImportWrappingLabel;
}

Attributes WrappingKeysOf(ImportedThrough through) {
  Attributes attributes;
  attributes.Add(AttributeType::kClass, ObjectClass::kPrivateKey)
      .Add(AttributeType::kLabel, LabelOf(through));
  return attributes;
}

// The raw operation is the token's. The padding is undone here, and with it the AES key stands in
// this process until the token has taken it.
Result<ObjectHandle> OpenInProcess(pkcs11::Session& session, ObjectHandle wrapping,
                                   HashAlgorithm hash, ByteView wrapped) {
  COFFER_ASSIGN(Bytes raw, session.Decrypt(MechanismType::kRsaX509, wrapping, wrapped));
  const SecretBytes block = SecretBytes::CopyOf(raw);
  SecureWipe(raw.data(), raw.size());
  if (block.size() != wrapped.size()) {
    return Fail(Code::kTokenFailed, "token returned a block of the wrong length");
  }
  COFFER_ASSIGN(const SecretBytes value, crypto::OaepDecode(hash, block));
  if (value.size() != kEphemeralKeyBytes) {
    return Fail(Code::kInvalid, "the wrapped AES key has not 256 bits");
  }
  const Recipe recipe = EphemeralRecipe(kEphemeralWraps);
  Attributes attributes;
  attributes.Add(AttributeType::kValue, value.Reveal()).Append(recipe.Template());
  COFFER_ASSIGN(const ObjectHandle opened, session.CreateObject(attributes));
  const Status as_asked = VerifyObject(session, opened, recipe);
  if (as_asked) return opened;
  static_cast<void>(session.DestroyObject(opened));
  return Fail(as_asked.error());
}

}  // namespace

std::string_view OaepHashName(HashAlgorithm hash) {
  const auto* const found = std::ranges::find(kOaepHashes, hash, &OaepHash::hash);
  return found == kOaepHashes.end() ? std::string_view() : found->name;
}

std::optional<HashAlgorithm> FindOaepHash(std::string_view name) {
  const auto* const found = std::ranges::find(kOaepHashes, name, &OaepHash::name);
  if (found == kOaepHashes.end()) return std::nullopt;
  return found->hash;
}

std::span<const HashAlgorithm> OaepHashes() {
  static constexpr std::array kAll{kOaepHashes[0].hash, kOaepHashes[1].hash, kOaepHashes[2].hash,
                                   kOaepHashes[3].hash, kOaepHashes[4].hash};
  return kAll;
}

Result<ObjectHandle> FindImportWrappingKey(pkcs11::Session& session, ImportedThrough through) {
  COFFER_ASSIGN(const std::vector<ObjectHandle> found, session.Find(WrappingKeysOf(through)));
  if (found.empty()) return pkcs11::kNoObject;
  if (found.size() > 1) {
    return Fail(Code::kTokenRefused,
                "token holds more than one object labelled " + std::string(LabelOf(through)));
  }
  // Somebody with the PIN may have put another one there, which opens keys that can be read.
  COFFER_TRY(VerifyObject(session, found.front(),
                          ImportWrappingRecipe(through, kWrappingBits).private_half));
  return found.front();
}

Result<ObjectHandle> MakeImportWrappingKey(pkcs11::Session& session, ObjectMaker& maker,
                                           ImportedThrough through) {
  const PairRecipe recipe = ImportWrappingRecipe(through, kWrappingBits);
  COFFER_ASSIGN(const pkcs11::KeyPair pair,
                maker.GeneratePair(session, MechanismType::kRsaPkcsKeyPairGen, recipe.public_half,
                                   recipe.private_half));
  const PassingObject public_object(session, pair.public_key);
  return pair.private_key;
}

Status DestroyImportWrappingKeys(pkcs11::Session& session) {
  for (const ImportedThrough through : {ImportedThrough::kToken, ImportedThrough::kProcess}) {
    COFFER_ASSIGN(const std::vector<ObjectHandle> found, session.Find(WrappingKeysOf(through)));
    for (const ObjectHandle key : found) COFFER_TRY(session.DestroyObject(key));
  }
  return {};
}

Result<ObjectHandle> OpenEphemeral(pkcs11::Session& session, ObjectMaker& maker,
                                   ImportedThrough through, ObjectHandle wrapping,
                                   HashAlgorithm hash, ByteView wrapped) {
  if (through == ImportedThrough::kProcess) return OpenInProcess(session, wrapping, hash, wrapped);
  const Bytes parameters = OaepParameters(hash);
  return maker.Unwrap(session, Mechanism(MechanismType::kRsaPkcsOaep, parameters), wrapping,
                      wrapped, EphemeralRecipe(kEphemeralWraps));
}

Result<std::vector<HashAlgorithm>> FindOaepHashes(pkcs11::Session& session, ObjectMaker& maker,
                                                  ImportedThrough through, ObjectHandle wrapping,
                                                  const crypto::PublicKey& public_key) {
  static constexpr std::array<std::uint8_t, kEphemeralKeyBytes> kSpecimen{0x63, 0x6f, 0x66};
  std::vector<HashAlgorithm> able;
  for (const HashAlgorithm hash : OaepHashes()) {
    COFFER_ASSIGN(const Bytes wrapped, public_key.EncryptOaep(hash, kSpecimen));
    const auto opened = OpenEphemeral(session, maker, through, wrapping, hash, wrapped);
    if (opened) {
      able.push_back(hash);
      static_cast<void>(session.DestroyObject(*opened));
    } else if (opened.error().code == Code::kTokenLost ||
               opened.error().code == Code::kUnavailable) {
      return Fail(opened.error());
    }
  }
  return able;
}

Bytes OaepParameters(HashAlgorithm hash) {
  const auto* const found = std::ranges::find(kOaepHashes, hash, &OaepHash::hash);
  return found == kOaepHashes.end() ? Bytes() : pkcs11::RsaOaepParameters(found->mechanism);
}

Error OaepHashUnsupported(HashAlgorithm hash, const std::vector<HashAlgorithm>& supported) {
  std::string names;
  for (const HashAlgorithm able : supported) {
    names += (names.empty() ? "" : ", ") + std::string(OaepHashName(able));
  }
  return Error(Refusal::kImportHashUnsupported,
               {.name = std::string(OaepHashName(hash)), .detail = std::move(names)});
}

}  // namespace coffer::keyring
