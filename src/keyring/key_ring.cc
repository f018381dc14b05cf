#include "coffer/keyring/key_ring.h"

#include <utility>

#include "keyring/key_ring_parts.h"
#include "keyring/start_checks.h"
#include "keyring/unusable_versions.h"

namespace coffer::keyring {

KeyRing::KeyRing(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KeyRing::~KeyRing() { impl_->database.SetAnchor({}); }

std::vector<storage::Migration> KeyRing::Schema() { return store::Schema(); }

Result<bool> HasState(storage::Database& database) {
  COFFER_ASSIGN(const auto former, store::ReadFormerState(database));
  if (former) return true;
  COFFER_ASSIGN(storage::Reader reader, database.Read());
  COFFER_ASSIGN(const auto number, reader.AnchorNumber());
  return number.has_value();
}

Result<Id> LoadOrCreateDatabaseId(storage::Database& database, coffer::Random& random) {
  return store::LoadOrCreateDatabaseId(database, random);
}

namespace {

Lanes LanesOf(const std::vector<std::unique_ptr<TokenInstance>>& instances,
              TokenInstance& custodians, EncryptionCounts& counts, coffer::Random& random) {
  std::vector<std::unique_ptr<Lane>> workers;
  for (const auto& instance : instances) {
    workers.push_back(std::make_unique<Lane>(*instance, counts, random));
  }
  return {std::move(workers), std::make_unique<Lane>(custodians, counts, random)};
}

std::vector<std::unique_ptr<TokenInstance>> InstancesOf(std::vector<std::unique_ptr<Token>> tokens,
                                                        Custodian& custodian, Catalog& catalog,
                                                        const CacheLimits& limits) {
  std::vector<std::unique_ptr<TokenInstance>> instances;
  for (auto& token : tokens) {
    instances.push_back(
        std::make_unique<TokenInstance>(std::move(token), custodian, catalog, limits.handles));
  }
  return instances;
}

}  // namespace

KeyRing::Impl::Impl(CustodianTurn& turn, storage::Database& db, Custodian& its_custodian,
                    std::vector<std::unique_ptr<Token>> tokens, coffer::Random& source,
                    const Clock& time, Logger& log, const CacheLimits& limits)
    : database(db),
      custodian(its_custodian),
      random(source),
      clock(time),
      logger(log),
      catalog(database, limits, logger),
      counts(database),
      instances(InstancesOf(std::move(tokens), custodian, catalog, limits)),
      custodians(turn, custodian, catalog, limits.handles),
      lanes(LanesOf(instances, custodians, counts, random)),
      residents(database, catalog, random, logger),
      commits(database, custodian, custodians, catalog, residents),
      versions(residents, clock),
      imports(custodian, catalog, commits, versions, random, clock),
      archive(database, catalog, commits, random),
      rotations(database, custodian, commits, versions, clock, logger) {
  counts.OnLimit([this](const Key& key) { rotations.RotateAtLimit(key); });
}

Status KeyRing::Impl::Start(CustodianTurn& turn, const StartPolicy& policy) {
  StartChecks checks(database, catalog, random);
  COFFER_TRY(checks.Check(turn, policy));
  commits.Open(turn, checks.TokenEpoch(), checks.Epoch());
  consequences = checks.Consequences();
  for (const std::string& consequence : consequences) {
    logger.Log(LogLevel::kWarn, "keyring", "started on the operator's word",
               {{"consequence", consequence}});
  }
  residents.SetLimit(turn, policy.resident_limit);
  // The token stays as it is until the database has its place: until then the former one starts.
  if (policy.restoring) return residents.Compare(turn);
  // One step of the epoch for each start: a database copied before it can never be passed off as
  // the latest.
  COFFER_TRY(commits.MakeAnchor(turn));
  const bool on_a_word = policy.accept_damaged_rows || policy.accept_rollback_to;
  if (!on_a_word) COFFER_TRY(residents.FinishDestroying(turn));
  return residents.Compare(turn);
}

Result<std::unique_ptr<KeyRing>> KeyRing::Open(storage::Database& database, Custodian& custodian,
                                               std::vector<std::unique_ptr<Token>> tokens,
                                               const StartPolicy& policy, coffer::Random& random,
                                               const Clock& clock, Logger& logger,
                                               const CacheLimits& limits) {
  std::unique_ptr<Impl> impl;
  COFFER_TRY(custodian.Run([&](CustodianTurn& turn) {
    impl = std::make_unique<Impl>(turn, database, custodian, std::move(tokens), random, clock,
                                  logger, limits);
    return impl->Start(turn, policy);
  }));
  return std::unique_ptr<KeyRing>(new KeyRing(std::move(impl)));
}

Lanes& KeyRing::GetLanes() { return impl_->lanes; }

Result<std::shared_ptr<const Key>> KeyRing::Find(Lane& lane, const Id& mount,
                                                 std::string_view name) {
  return impl_->catalog.Find(lane.GetInstance(), mount, name);
}

Result<std::vector<std::string>> KeyRing::List(const Id& mount, std::string_view after,
                                               std::int64_t limit) {
  return impl_->catalog.Names(mount, after, limit);
}

KeyRing::Changed KeyRing::Import(const Id& mount, const KeyName& name, const CreateOptions& options,
                                 bool allow_rotation, const ImportedMaterial& material,
                                 const Actor& actor) {
  return impl_->imports.Import(mount, name, options, allow_rotation, material, actor);
}

KeyRing::Changed KeyRing::ImportVersion(const Id& mount, std::string_view name,
                                        const ImportedMaterial& material, const Actor& actor) {
  return impl_->imports.ImportVersion(mount, name, material, actor);
}

Result<ImportWrapping> KeyRing::ImportWrappingKey() { return impl_->imports.WrappingKey(); }

Status KeyRing::DestroyImportWrappingKey() { return impl_->imports.DestroyWrappingKey(); }

KeyRing::Changed KeyRing::Agree(const Id& mount, const KeyName& name, KeyType type, const Key& base,
                                const KeyVersion& version, const crypto::PublicKey& peer,
                                const Actor& actor) {
  return impl_->imports.Agree(mount, name, type, base, version, peer, actor);
}

Result<Bytes> KeyRing::Backup(Lane& lane, const Id& mount, std::string_view name) {
  return impl_->archive.Backup(lane, mount, name);
}

KeyRing::Changed KeyRing::Restore(const Id& mount, const std::optional<KeyName>& name,
                                  ByteView backup, bool force) {
  return impl_->archive.Restore(mount, name, backup, force);
}

void KeyRing::SetRotationWitness(RotationWitness& witness) { impl_->rotations.SetWitness(witness); }

Status KeyRing::RotateDue(SystemTime now) { return impl_->rotations.RotateDue(now); }

Result<SecretBytes> KeyRing::DeriveLookupKey(std::string_view label) {
  Mac mac{};
  COFFER_TRY(impl_->custodian.Run([&](CustodianTurn& turn) -> Status {
    COFFER_ASSIGN(mac, turn->MetaMac(AsBytes(label)));
    return {};
  }));
  SecretBytes key = SecretBytes::CopyOf(mac);
  SecureWipe(mac.data(), mac.size());
  return key;
}

Result<std::vector<UnusableVersion>> KeyRing::FindUnusable() {
  constexpr auto kLong = std::chrono::hours(1);
  std::vector<UnusableVersion> found;
  COFFER_TRY(impl_->custodian.Run(
      [&](CustodianTurn& turn) -> Status {
        COFFER_ASSIGN(found, keyring::FindUnusable(turn, impl_->database, impl_->catalog));
        return {};
      },
      kLong));
  return found;
}

Result<std::set<Bytes>> KeyRing::NamedResidents() {
  std::set<Bytes> named;
  COFFER_TRY(impl_->custodian.Run([&](CustodianTurn& turn) -> Status {
    COFFER_ASSIGN(named, impl_->catalog.NamedResidents(turn));
    return {};
  }));
  return named;
}

std::size_t KeyRing::OrphanedResidents() const { return impl_->residents.Orphaned(); }

const std::vector<std::string>& KeyRing::Consequences() const { return impl_->consequences; }

bool KeyRing::Ready() const { return impl_->custodian.Health().reachable.load(); }

HandleCounts KeyRing::Handles() const {
  HandleCounts sum = impl_->custodians.Handles();
  for (const auto& instance : impl_->instances) {
    const HandleCounts own = instance->Handles();
    sum.cached += own.cached;
    sum.hits += own.hits;
    sum.misses += own.misses;
    sum.displaced += own.displaced;
  }
  return sum;
}

pkcs11::Statistics KeyRing::TokenCounts() const {
  pkcs11::Statistics sum = impl_->custodians.TokenCounts();
  for (const auto& instance : impl_->instances) sum.Add(instance->TokenCounts());
  return sum;
}

const Id& KeyRing::DatabaseId() const { return impl_->catalog.DatabaseId(); }

}  // namespace coffer::keyring
