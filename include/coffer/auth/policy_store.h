#pragma once

// The policies of a server, kept in the database, and the rules that sets of them compile to. The
// program's wiring owns one PolicyStore; the database and the clock outlive it. Thread-safe.
// Errors: kInvalid for a text that is no policy and for names that may not be changed; errors of
// the database otherwise.
// Example: `COFFER_TRY(policies.Write("app", text)); policies.RulesOf({"app", "default"})`

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/auth/access_rules.h"
#include "coffer/base/clock.h"
#include "coffer/base/result.h"
#include "coffer/storage/database.h"

namespace coffer::auth {

struct StoredPolicy {
  std::string text;  // as it was written
  SystemTime modified{};
};

// Compiled rules, and the version of the policies that they were compiled from.
struct VersionedRules {
  std::uint64_t version = 0;
  std::shared_ptr<const AccessRules> rules;
};

class PolicyStore {
 public:
  // Writes the policy "default" into a database that does not have it.
  static Result<std::unique_ptr<PolicyStore>> Load(storage::Database& database, const Clock& clock);
  ~PolicyStore();

  // The number of the last change. A request that starts after a change was answered sees it.
  std::uint64_t Version() const;
  // The rules of these policies together; those that do not exist are left out. Compiled once for
  // each set and version.
  VersionedRules RulesOf(const std::vector<std::string>& names) const;

  // In the order of their names, without "root", which has no text.
  std::vector<std::string> Names() const;
  bool Exists(std::string_view name) const;  // also for "root"
  // kNotFound if there is none.
  Result<StoredPolicy> Read(const std::string& name) const;
  Status Write(const std::string& name, std::string_view text);
  Status Delete(const std::string& name);  // no error if it is absent

 private:
  struct Impl;
  explicit PolicyStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::auth
