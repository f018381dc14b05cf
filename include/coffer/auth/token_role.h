#pragma once

// The roles that tokens are made with: a client that may make tokens of a role gets them with the
// policies and bounds of the role, not with those of its own token. The program's wiring owns one
// RoleStore; the database outlives it. Thread-safe. Errors: kInvalid for settings that are not
// allowed; errors of the database otherwise.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/storage/database.h"

namespace coffer::auth {

// Times are in seconds; 0 means none.
struct TokenRole {
  std::string name;
  std::vector<std::string> allowed_policies;
  std::vector<std::string> allowed_policies_glob;
  std::vector<std::string> disallowed_policies;
  std::vector<std::string> disallowed_policies_glob;
  std::vector<std::string> bound_cidrs;
  std::string path_suffix;
  std::int64_t period = 0;
  std::int64_t explicit_max_ttl = 0;
  std::int64_t uses = 0;
  bool orphan = false;
  bool renewable = true;
  bool no_default_policy = false;
};

class RoleStore {
 public:
  explicit RoleStore(storage::Database& database) : database_(database) {}

  Result<std::vector<std::string>> Names() const;
  // Nothing if there is no such role.
  Result<std::optional<TokenRole>> Read(const std::string& name) const;
  Status Write(const TokenRole& role);
  Status Delete(const std::string& name);  // no error if it is absent

 private:
  storage::Database& database_;
};

}  // namespace coffer::auth
