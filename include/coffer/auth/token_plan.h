#pragma once

// The rules by which a new token is made and a token is renewed. Functions without any state, for
// any thread; they store nothing. Errors: kInvalid and kPermissionDenied in Vault's words.
// Example: `COFFER_ASSIGN(TokenPlan plan, PlanToken(maker, request, clock.Now()));`

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coffer/auth/token_entry.h"
#include "coffer/auth/token_role.h"
#include "coffer/base/clock.h"
#include "coffer/base/result.h"

namespace coffer::auth {

// The lifetime of a token for which the client gave none, and the longest one of a token without a
// period.
inline constexpr std::int64_t kSystemTtl = std::int64_t{768} * 3600;
// The longest period.
inline constexpr std::int64_t kLongestPeriod = std::int64_t{100} * 365 * 24 * 3600;

// The properties that a client requests for a new token. Times are in seconds; 0 means that the
// client gave none.
struct TokenRequest {
  std::string id = {};
  std::vector<std::string> policies = {};
  std::vector<std::pair<std::string, std::string>> metadata = {};
  std::string display_name = {};
  std::string type = {};
  std::int64_t ttl = 0;
  std::int64_t explicit_max_ttl = 0;
  std::int64_t period = 0;
  std::int64_t uses = 0;
  bool no_parent = false;
  bool no_default_policy = false;
  bool renewable = true;
};

// The token that a new token is made with, and the way in which it is made.
struct TokenCreation {
  const TokenEntry& token;
  bool sudo = false;                // the policies grant sudo on the path
  const TokenRole* role = nullptr;  // null: none
  bool orphans = false;             // the endpoint makes tokens without a parent
};

struct TokenPlan {
  TokenEntry entry;
  std::vector<std::string> warnings;
};

Result<TokenPlan> PlanToken(const TokenCreation& maker, const TokenRequest& request,
                            SystemTime now);

// The new end of a token, and a warning if it comes earlier than the client requested.
struct RenewalPlan {
  SystemTime expires{};
  std::vector<std::string> warnings;
};
Result<RenewalPlan> PlanRenewal(const TokenEntry& token, std::int64_t increment, SystemTime now);

// Names or globs of policies in lower case, without blanks around them, each once, in order.
std::vector<std::string> NormalizedNames(const std::vector<std::string>& policies);

// The policies as a token has them: in lower case, each once, in order; "root" stands alone.
std::vector<std::string> SanitizedPolicies(const std::vector<std::string>& policies,
                                           bool with_default);

}  // namespace coffer::auth
