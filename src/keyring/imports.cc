#include "keyring/imports.h"

#include <utility>

#include "keyring/key_config.h"

namespace coffer::keyring {
namespace {

constexpr std::size_t kEphemeralOctets = 512;  // RSA-4096

Status CheckMatches(const KeyTypeInfo& info, const crypto::PublicKey& key) {
  const bool matches =
      (info.family == Family::kRsa && key.kind() == crypto::PublicKey::Kind::kRsa &&
       key.Bits() == info.bits) ||
      (info.family == Family::kEcdsa && key.kind() == crypto::PublicKey::Kind::kEcdsa &&
       key.Bits() == info.bits) ||
      (info.family == Family::kEd25519 && key.kind() == crypto::PublicKey::Kind::kEd25519);
  if (matches) return {};
  return Fail(Refusal::kPublicKeyOfOtherType, {.name = std::string(info.name)});
}

// Finds the key's length from the wrapped length: RFC 5649 adds one block of integrity check.
Status CheckWrapped(Key& key, const Bytes& wrapped) {
  if (wrapped.size() < kEphemeralOctets + 24) return Fail(Refusal::kImportTooShort);
  const auto octets = static_cast<int>(wrapped.size() - kEphemeralOctets) - 8;
  const KeyTypeInfo& info = key.Info();
  const auto wrong_size = [&] {
    return Fail(Refusal::kImportOfWrongSize, {.given = octets, .name = std::string(info.name)});
  };
  if (info.family == Family::kHmac) {
    if (octets < kMinHmacOctets || octets > kMaxHmacOctets || octets % 8 != 0) return wrong_size();
    key.hmac_octets = octets;
  } else if (!info.Asymmetric() && octets != info.bits / 8) {
    return wrong_size();
  }
  return {};
}

}  // namespace

Result<KeyVersion> Imports::ImportedVersionOf(CustodianTurn& turn, Key& key, int number,
                                              const ImportedMaterial& material,
                                              const Actor& actor) {
  NewVersion made;
  if (material.public_key) {
    if (!key.Info().Asymmetric()) {
      return Fail(Refusal::kPublicKeyNotForType, {.name = std::string(key.Info().name)});
    }
    COFFER_TRY(CheckMatches(key.Info(), *material.public_key));
    COFFER_ASSIGN(made, turn->GenerateHmacKey());
    made.spki = material.public_key->Spki();
  } else {
    if (key.Info().family == Family::kEd25519) {
      return Fail(Refusal::kImportOfTypeImpossible, {.name = std::string(key.Info().name)});
    }
    COFFER_TRY(CheckWrapped(key, material.wrapped));
    const ByteView all(material.wrapped);
    COFFER_ASSIGN(made, turn->Import(key.Spec(), {all.first(kEphemeralOctets),
                                                  all.subspan(kEphemeralOctets), material.hash}));
  }
  return versions_.From(std::move(made), number, actor);
}

Result<std::shared_ptr<const Key>> Imports::Add(const Id& mount, const KeyName& name,
                                                const CreateOptions& options, bool allow_rotation,
                                                Refusal taken, const FirstVersion& make) {
  std::shared_ptr<const Key> added;
  COFFER_TRY(commits_.Run([&](CustodianTurn& turn) -> Status {
    const auto existing = catalog_.Load(turn, mount, name.Text());
    if (existing) return Fail(taken, {.name = name.Text()});
    if (existing.error().code != Code::kNotFound) return Fail(existing.error());
    auto key = std::make_shared<Key>();
    key->id = Id::Generate(random_);
    key->mount = mount;
    key->name = name.Text();
    key->type = options.type;
    key->derived = options.derived;
    key->created = clock_.Now();
    key->settings.allow_plaintext_backup = options.allow_plaintext_backup;
    key->settings.auto_rotate_period_seconds = options.auto_rotate_period_seconds;
    key->settings.imported = true;
    key->settings.allow_imported_rotation = allow_rotation;
    COFFER_ASSIGN(KeyVersion version, make(turn, *key));
    key->versions.emplace(1, std::move(version));
    Change change;
    change.new_versions = {1};
    change.after = key;
    COFFER_TRY(commits_.Commit(turn, {&change, 1}));
    added = std::move(key);
    return {};
  }));
  return added;
}

Result<std::shared_ptr<const Key>> Imports::Import(const Id& mount, const KeyName& name,
                                                   const CreateOptions& options,
                                                   bool allow_rotation,
                                                   const ImportedMaterial& material,
                                                   const Actor& actor) {
  if (options.convergent) return Fail(Refusal::kImportConvergent);
  if (options.exportable) return Fail(Refusal::kImportExportable);
  if (options.derived && InfoOf(options.type).Asymmetric()) {
    return Fail(Refusal::kImportDerived, {.name = std::string(KeyTypeName(options.type))});
  }
  if (options.auto_rotate_period_seconds != 0 && !allow_rotation) {
    return Fail(Refusal::kAutoRotateNotAllowed);
  }
  COFFER_TRY(CheckNewKey(options));
  return Add(mount, name, options, allow_rotation, Refusal::kImportOntoExistingKey,
             [&](CustodianTurn& turn, Key& key) {
               return ImportedVersionOf(turn, key, 1, material, actor);
             });
}

Result<std::shared_ptr<const Key>> Imports::Agree(const Id& mount, const KeyName& name,
                                                  KeyType type, const Key& base,
                                                  const KeyVersion& version,
                                                  const crypto::PublicKey& peer,
                                                  const Actor& actor) {
  const KeyTypeInfo& info = base.Info();
  if (info.family != Family::kEcdsa) {
    return Fail(Refusal::kKeyAgreementUnsupported, {.name = std::string(info.name)});
  }
  if (version.custody != Custody::kWrapped) {
    return Fail(Refusal::kPrivatePartMissing, {.purpose = Purpose::kSigning});
  }
  if (peer.kind() != crypto::PublicKey::Kind::kEcdsa || peer.Bits() != info.bits) {
    return Fail(Refusal::kPublicKeyOfOtherType, {.name = std::string(info.name)});
  }
  const CreateOptions options{.type = type};
  return Add(mount, name, options, false, Refusal::kKeyExists,
             [&](CustodianTurn& turn, Key& key) -> Result<KeyVersion> {
               COFFER_ASSIGN(NewVersion made, turn->Agree(base.SpecOf(version), version.info.master,
                                                          version.blob, peer, key.Spec()));
               return versions_.From(std::move(made), 1, actor);
             });
}

Result<std::shared_ptr<const Key>> Imports::ImportVersion(const Id& mount, std::string_view name,
                                                          const ImportedMaterial& material,
                                                          const Actor& actor) {
  return commits_.ChangeKey(
      mount, name, [&](CustodianTurn& turn, Key& key, std::vector<int>& new_versions) -> Status {
        if (!key.settings.imported) {
          return Fail(Refusal::kKeyNotImported);
        }
        const int octets = key.hmac_octets;
        const int number = key.latest_version + 1;
        COFFER_ASSIGN(KeyVersion version, ImportedVersionOf(turn, key, number, material, actor));
        if (key.hmac_octets != octets) {
          return Fail(Refusal::kImportSizesDiffer);
        }
        key.versions.insert_or_assign(number, std::move(version));
        key.latest_version = number;
        new_versions.push_back(number);
        return {};
      });
}

Result<ImportWrapping> Imports::WrappingKey() {
  ImportWrapping wrapping;
  COFFER_TRY(custodian_.Run([&](CustodianTurn& turn) -> Status {
    COFFER_ASSIGN(wrapping, turn->ImportWrappingKey());
    return {};
  }));
  return wrapping;
}

Status Imports::DestroyWrappingKey() {
  return custodian_.Run([](CustodianTurn& turn) { return turn->DestroyImportWrappingKey(); });
}

}  // namespace coffer::keyring
