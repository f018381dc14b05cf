#include "coffer/auth/policy_store.h"

#include <atomic>
#include <map>
#include <utility>

#include "coffer/base/mutex.h"

namespace coffer::auth {
namespace {

// The policy that every token has unless it was made without: what a token may do with itself.
constexpr std::string_view kDefaultText =
    R"hcl(# What every token may do unless it was made without this policy.

# Look at itself, renew itself, end itself.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# Find out what it may do, and why something was refused.
path "sys/capabilities-self" {
  capabilities = ["update"]
}
path "sys/internal/ui/resultant-acl" {
  capabilities = ["read"]
}
path "sys/explain" {
  capabilities = ["update"]
  denied_parameters = {
    "token"    = []
    "accessor" = []
  }
}

# Renew and look at its leases.
path "sys/leases/renew" {
  capabilities = ["update"]
}
path "sys/leases/lookup" {
  capabilities = ["update"]
}

# Its own values.
path "cubbyhole/*" {
  capabilities = ["create", "read", "update", "delete", "list"]
}

# Wrap and unwrap answers.
path "sys/wrapping/wrap" {
  capabilities = ["update"]
}
path "sys/wrapping/lookup" {
  capabilities = ["update"]
}
path "sys/wrapping/unwrap" {
  capabilities = ["update"]
}

# Hash data.
path "sys/tools/hash" {
  capabilities = ["update"]
}
path "sys/tools/hash/*" {
  capabilities = ["update"]
}
)hcl";

// Compiled sets of policies are kept up to so many rules in all; beyond that all are compiled anew.
// Names count as well: a token may have many policies that do not exist.
constexpr std::size_t kMostRules = 500'000;
constexpr std::size_t kNameBytesPerRule = 64;

struct LoadedPolicy {
  StoredPolicy stored;
  Policy policy;
};
using LoadedPolicies = std::map<std::string, std::shared_ptr<const LoadedPolicy>, std::less<>>;

Result<LoadedPolicies> ReadPolicyRows(storage::Reader& reader) {
  COFFER_ASSIGN(storage::Statement select,
                reader.Prepare("SELECT name, text, modified_nanoseconds FROM policies"));
  LoadedPolicies policies;
  while (true) {
    COFFER_ASSIGN(const bool row, select.Step());
    if (!row) return policies;
    LoadedPolicy loaded{{select.Text(1), FromUnixNanoseconds(select.Int(2))}, {}};
    auto policy = ParsePolicy(select.Text(0), loaded.stored.text);
    if (!policy) {
      return Fail(Code::kCorrupt, "the table of policies is damaged: restore a backup",
                  "policy " + select.Text(0) + ": " + policy.error().message);
    }
    loaded.policy = std::move(*policy);
    policies.emplace(select.Text(0), std::make_shared<const LoadedPolicy>(std::move(loaded)));
  }
}

}  // namespace

struct PolicyStore::Impl {
  Impl(storage::Database& the_database, const Clock& the_clock)
      : database(the_database), clock(the_clock) {}

  // Reads all policies from the database, for the start and after a COMMIT whose outcome is
  // unknown.
  Status Reload() {
    COFFER_ASSIGN(storage::Reader reader, database.Read());
    COFFER_ASSIGN(LoadedPolicies stored, ReadPolicyRows(reader));
    const MutexLock lock(mutex);
    policies = std::move(stored);
    Changed();
    return {};
  }
  void Changed() COFFER_REQUIRES(mutex) {
    compiled.clear();
    compiled_rules = 0;
    version.fetch_add(1, std::memory_order_release);
  }
  storage::Database& database;
  const Clock& clock;
  Mutex change_mutex;  // one change at a time, from its check to its publication
  std::atomic<std::uint64_t> version{1};
  mutable Mutex mutex;
  LoadedPolicies policies COFFER_GUARDED_BY(mutex);
  // By the names of the set, each with a newline.
  std::map<std::string, std::shared_ptr<const AccessRules>, std::less<>> compiled
      COFFER_GUARDED_BY(mutex);
  std::size_t compiled_rules COFFER_GUARDED_BY(mutex) =
      0;  // of all sets, with their names; an empty one counts as one
};

Result<std::unique_ptr<PolicyStore>> PolicyStore::Load(storage::Database& database,
                                                       const Clock& clock) {
  std::unique_ptr<PolicyStore> store(new PolicyStore(std::make_unique<Impl>(database, clock)));
  COFFER_TRY(store->impl_->Reload());
  const std::string name(kDefaultPolicy);
  if (!store->Exists(name)) COFFER_TRY(store->Write(name, kDefaultText));
  return store;
}

PolicyStore::PolicyStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PolicyStore::~PolicyStore() = default;

std::uint64_t PolicyStore::Version() const {
  return impl_->version.load(std::memory_order_acquire);
}

VersionedRules PolicyStore::RulesOf(const std::vector<std::string>& names) const {
  std::string key;
  for (const std::string& name : names) key.append(name).append(1, '\n');
  const MutexLock lock(impl_->mutex);
  const std::uint64_t version = impl_->version.load(std::memory_order_acquire);
  if (const auto found = impl_->compiled.find(key); found != impl_->compiled.end()) {
    return {version, found->second};
  }
  const Policy root{std::string(kRootPolicy), {}};
  std::vector<const Policy*> policies;
  for (const std::string& name : names) {
    if (name == kRootPolicy) policies.push_back(&root);
    const auto policy = impl_->policies.find(name);
    if (policy != impl_->policies.end()) policies.push_back(&policy->second->policy);
  }
  auto rules = AccessRules::Compile(policies);
  if (impl_->compiled_rules >= kMostRules) {
    impl_->compiled.clear();
    impl_->compiled_rules = 0;
  }
  impl_->compiled_rules += 1 + key.size() / kNameBytesPerRule + rules->Permissions().size();
  impl_->compiled.emplace(std::move(key), rules);
  return {version, std::move(rules)};
}

std::vector<std::string> PolicyStore::Names() const {
  const MutexLock lock(impl_->mutex);
  std::vector<std::string> names;
  names.reserve(impl_->policies.size());
  for (const auto& [name, policy] : impl_->policies) names.push_back(name);
  return names;
}

bool PolicyStore::Exists(std::string_view name) const {
  const MutexLock lock(impl_->mutex);
  return name == kRootPolicy || impl_->policies.contains(name);
}

Result<StoredPolicy> PolicyStore::Read(const std::string& name) const {
  const MutexLock lock(impl_->mutex);
  if (name == kRootPolicy) return StoredPolicy{};
  const auto found = impl_->policies.find(name);
  if (found == impl_->policies.end()) return Fail(Code::kNotFound, "");
  return found->second->stored;
}

Status PolicyStore::Write(const std::string& name, std::string_view text) {
  if (name == kRootPolicy) return Fail(Code::kInvalid, "cannot update \"root\" policy");
  LoadedPolicy loaded{{std::string(text), impl_->clock.Now()}, {}};
  COFFER_ASSIGN(loaded.policy, ParsePolicy(name, text));
  const MutexLock change(impl_->change_mutex);
  {
    COFFER_ASSIGN(storage::Transaction transaction, impl_->database.Begin());
    COFFER_ASSIGN(storage::Statement insert,
                  transaction.Prepare("INSERT OR REPLACE INTO policies (name, text, "
                                      "modified_nanoseconds) VALUES (?, ?, ?)"));
    insert.Bind(0, name).Bind(1, text);
    COFFER_TRY(insert.Bind(2, UnixNanoseconds(loaded.stored.modified)).Run());
    if (Status committed = transaction.Commit(); !committed) {
      // The outcome may be unknown: honour what is stored, whichever it is.
      [[maybe_unused]] const Status reloaded = impl_->Reload();
      return committed;
    }
  }
  const MutexLock lock(impl_->mutex);
  impl_->policies[name] = std::make_shared<const LoadedPolicy>(std::move(loaded));
  impl_->Changed();
  return {};
}

Status PolicyStore::Delete(const std::string& name) {
  if (name == kRootPolicy) return Fail(Code::kInvalid, "cannot delete \"root\" policy");
  if (name == kDefaultPolicy) return Fail(Code::kInvalid, "cannot delete default policy");
  const MutexLock change(impl_->change_mutex);
  {
    COFFER_ASSIGN(storage::Transaction transaction, impl_->database.Begin());
    COFFER_ASSIGN(storage::Statement remove,
                  transaction.Prepare("DELETE FROM policies WHERE name = ?"));
    COFFER_TRY(remove.Bind(0, name).Run());
    if (Status committed = transaction.Commit(); !committed) {
      [[maybe_unused]] const Status reloaded = impl_->Reload();
      return committed;
    }
  }
  const MutexLock lock(impl_->mutex);
  impl_->policies.erase(name);
  impl_->Changed();
  return {};
}

}  // namespace coffer::auth
