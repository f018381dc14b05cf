// Changes of keys that requests make; each goes through KeyCommits.

#include <algorithm>
#include <utility>

#include "keyring/key_config.h"
#include "keyring/key_ring_parts.h"

namespace coffer::keyring {

Result<KeyRing::Created> KeyRing::Create(const Id& mount, const KeyName& name,
                                         const CreateOptions& options, const Actor& actor) {
  COFFER_TRY(CheckNewKey(options));
  Created created;
  COFFER_TRY(impl_->commits.Run([&](CustodianTurn& turn) -> Status {
    auto existing = impl_->catalog.Load(turn, mount, name.Text());
    if (existing) {
      created = {std::make_shared<const Key>(std::move(existing->key)), true};
      return {};
    }
    if (existing.error().code != Code::kNotFound) return Fail(std::move(existing).error());
    auto key = std::make_shared<Key>();
    key->id = Id::Generate(impl_->random);
    key->mount = mount;
    key->name = name.Text();
    key->type = options.type;
    key->derived = options.derived;
    key->convergent = options.convergent;
    key->exportable = options.exportable;
    key->resident = options.resident;
    key->hmac_octets = static_cast<int>(options.hmac_octets.value_or(kHmacOctets));
    key->created = impl_->clock.Now();
    key->settings.allow_plaintext_backup = options.allow_plaintext_backup;
    key->settings.auto_rotate_period_seconds = options.auto_rotate_period_seconds;
    COFFER_ASSIGN(KeyVersion version, impl_->versions.Generate(turn, *key, 1, actor));
    key->versions.emplace(1, std::move(version));
    Change change;
    change.new_versions = {1};
    change.after = key;
    COFFER_TRY(impl_->commits.Commit(turn, {&change, 1}));
    created = {std::move(key), false};
    return {};
  }));
  return created;
}

KeyRing::Changed KeyRing::Rotate(const Id& mount, std::string_view name, const Actor& actor) {
  return impl_->commits.ChangeKey(
      mount, name, [&](CustodianTurn& turn, Key& key, std::vector<int>& new_versions) {
        return impl_->versions.Rotate(turn, key, new_versions, actor);
      });
}

KeyRing::Changed KeyRing::Configure(const Id& mount, std::string_view name,
                                    const ConfigChange& change) {
  return impl_->commits.ChangeKey(mount, name,
                                  [&](CustodianTurn&, Key& key, std::vector<int>&) -> Status {
                                    return ApplyConfig(key, change);
                                  });
}

KeyRing::Changed KeyRing::Trim(const Id& mount, std::string_view name,
                               std::int64_t min_available_version) {
  return impl_->commits.ChangeKey(
      mount, name, [&](CustodianTurn&, Key& key, std::vector<int>&) -> Status {
        COFFER_TRY(CheckTrim(key, min_available_version));
        const int first = static_cast<int>(min_available_version);
        key.settings.min_available_version = first;
        key.versions.erase(key.versions.begin(), key.versions.lower_bound(first));
        return {};
      });
}

KeyRing::Changed KeyRing::SetCertificates(const Id& mount, std::string_view name,
                                          std::int64_t version,
                                          const crypto::CertificateChain& chain) {
  const auto keep = [&](CustodianTurn&, Key& key, std::vector<int>&) -> Status {
    COFFER_ASSIGN(const KeyVersion* const chosen, key.ForCertificateRequest(version));
    if (chosen->spki != chain.Spki()) {
      return Fail(Refusal::kCertificateOfOtherKey, {.given = chosen->info.version});
    }
    key.versions.at(chosen->info.version).certificate_chain = chain.Pem();
    return {};
  };
  return impl_->commits.ChangeKey(mount, name, keep);
}

// It changes no key, but makes objects in the token, which is the custodian's.
Result<Bytes> KeyRing::Export(const Key& key, const KeyVersion& version,
                              const crypto::PublicKey& destination, crypto::HashAlgorithm hash) {
  if (!key.exportable) return Fail(Refusal::kKeyNotExportable);
  if (version.custody != Custody::kWrapped) {
    return Fail(Refusal::kExportPublicOnly, {.given = version.info.version});
  }
  Bytes exported;
  COFFER_TRY(impl_->custodian.Run([&](CustodianTurn& turn) -> Status {
    COFFER_ASSIGN(exported, turn->Export(key.SpecOf(version), version.info.master, version.blob,
                                         destination, hash));
    return {};
  }));
  return exported;
}

KeyRing::Changed KeyRing::SetSoftDeleted(const Id& mount, std::string_view name, bool deleted) {
  return impl_->commits.ChangeKey(mount, name,
                                  [&](CustodianTurn&, Key& key, std::vector<int>&) -> Status {
                                    key.settings.soft_deleted = deleted;
                                    return {};
                                  });
}

Status KeyRing::Delete(const Id& mount, std::string_view name) {
  return impl_->commits.Run([&](CustodianTurn& turn) -> Status {
    COFFER_ASSIGN(const store::StoredKey stored, impl_->catalog.Load(turn, mount, name));
    if (!stored.key.settings.deletion_allowed) {
      return Fail(Refusal::kDeletionNotAllowed);
    }
    return impl_->commits.RemoveKeys(turn, {&stored, 1});
  });
}

Status KeyRing::Destroy(const Id& mount, std::string_view name) {
  return impl_->commits.Run([&](CustodianTurn& turn) -> Status {
    COFFER_ASSIGN(const auto stored, store::ReadKey(impl_->database, mount, name));
    if (!stored) return Fail(Refusal::kKeyNotFound);
    const Status verified = impl_->catalog.VerifyKey(turn, *stored);
    COFFER_TRY(impl_->commits.RemoveKeys(turn, {&*stored, 1}));
    if (verified || verified.error().code != Code::kCorrupt) return {};
    return Fail(
        Code::kCorrupt,
        "the key's rows failed their check and are removed, but objects that it may have in "
        "the token stay there: coffer hsm gc destroys them");
  });
}

Status KeyRing::DeleteMount(const Id& mount) {
  // Each commit syncs the database and the token's files, so many keys go with one; but not all, as
  // other changes and the probe must have their turn in between.
  constexpr std::size_t kKeysAtOnce = 256;
  COFFER_ASSIGN(const auto places, store::AllKeys(impl_->database, &mount));
  for (std::size_t begin = 0; begin < places.size(); begin += kKeysAtOnce) {
    const auto some =
        std::span(places).subspan(begin, std::min(kKeysAtOnce, places.size() - begin));
    COFFER_TRY(impl_->commits.Run([&](CustodianTurn& turn) -> Status {
      std::vector<store::StoredKey> keys;
      for (const store::MountedName& place : some) {
        COFFER_ASSIGN(auto stored, store::ReadKey(impl_->database, mount, place.name));
        if (stored) keys.push_back(std::move(*stored));
      }
      return keys.empty() ? Status{} : impl_->commits.RemoveKeys(turn, keys);
    }));
  }
  return {};
}

}  // namespace coffer::keyring
