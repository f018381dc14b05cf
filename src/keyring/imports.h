#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "coffer/base/clock.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/keyring/custodian.h"
#include "coffer/keyring/key_ring.h"
#include "keyring/catalog.h"
#include "keyring/key_commits.h"
#include "keyring/version_maker.h"

namespace coffer::keyring {

// Imports and key agreement, which make keys or versions from elsewhere. Any thread; the changes
// run on the custodian's. Functions and errors as KeyRing's.
class Imports {
 public:
  Imports(Custodian& custodian, Catalog& catalog, KeyCommits& commits, VersionMaker& versions,
          coffer::Random& random, const Clock& clock)
      : custodian_(custodian),
        catalog_(catalog),
        commits_(commits),
        versions_(versions),
        random_(random),
        clock_(clock) {}

  Result<std::shared_ptr<const Key>> Import(const Id& mount, const KeyName& name,
                                            const CreateOptions& options, bool allow_rotation,
                                            const ImportedMaterial& material, const Actor& actor);
  Result<std::shared_ptr<const Key>> ImportVersion(const Id& mount, std::string_view name,
                                                   const ImportedMaterial& material,
                                                   const Actor& actor);
  Result<std::shared_ptr<const Key>> Agree(const Id& mount, const KeyName& name, KeyType type,
                                           const Key& base, const KeyVersion& version,
                                           const crypto::PublicKey& peer, const Actor& actor);
  Result<ImportWrapping> WrappingKey();
  Status DestroyWrappingKey();

 private:
  // Adds a key with one version, which `make` makes. `taken` is the refusal if the name is taken.
  using FirstVersion = std::function<Result<KeyVersion>(CustodianTurn&, Key&)>;
  Result<std::shared_ptr<const Key>> Add(const Id& mount, const KeyName& name,
                                         const CreateOptions& options, bool allow_rotation,
                                         Refusal taken, const FirstVersion& make);
  // Sets the key's HMAC size where the type leaves it open.
  Result<KeyVersion> ImportedVersionOf(CustodianTurn& turn, Key& key, int number,
                                       const ImportedMaterial& material, const Actor& actor);

  Custodian& custodian_;
  Catalog& catalog_;
  KeyCommits& commits_;
  VersionMaker& versions_;
  coffer::Random& random_;
  const Clock& clock_;
};

}  // namespace coffer::keyring
