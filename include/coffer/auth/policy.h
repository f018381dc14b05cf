#pragma once

// The text of a policy, HCL or JSON, read into rules. Functions and values without any state, which
// the caller owns; any thread.
// Errors: kInvalid "line L, column C: ..." for a text that is no policy.
// Example: `ParsePolicy("app", "path \"transit/encrypt/k\" { capabilities = [\"update\"] }")`

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "coffer/auth/capability.h"
#include "coffer/base/result.h"

namespace coffer::auth {

// One value of a request's parameter, as its endpoint understands it. A null is std::monostate.
using RequestValue = std::variant<std::monostate, bool, std::int64_t, std::string_view>;

// A value that a policy lists for a parameter. Endpoints read "3" and 3 alike, so the value is kept
// in every form in which a request may have it.
class ListedValue {
 public:
  explicit ListedValue(std::string text);
  explicit ListedValue(std::int64_t number);
  explicit ListedValue(bool flag);
  // An asterisk at an end of a listed text stands for any text there.
  bool Matches(const RequestValue& value) const;
  const std::string& Text() const { return text_; }

 private:
  enum class Kind : std::uint8_t { kText, kNumber, kFlag };
  Kind kind_ = Kind::kText;
  std::string text_;
  std::optional<std::int64_t> number_;  // also of a duration, in seconds
  std::optional<bool> flag_;
};

// The listed values of parameters by their names in lower case. No value stands for any value, and
// the name "*" for every parameter.
using ListedParameters = std::map<std::string, std::vector<ListedValue>, std::less<>>;

// One block `path "..." { ... }`.
struct PolicyRule {
  std::string path;        // as it is written, without a slash in front
  bool segments = false;   // has "+" as a segment
  bool prefix = false;     // ends in "*", and has no "+"
  bool templated = false;  // has "{{...}}": until there are identities it matches nothing
  Capabilities capabilities;
  ListedParameters allowed_parameters;
  ListedParameters denied_parameters;
  std::vector<std::string> required_parameters;  // in lower case
  // Bounds of the lifetime of a wrapped answer, in seconds; 0: none.
  std::int64_t min_wrapping_ttl = 0;
  std::int64_t max_wrapping_ttl = 0;
};

struct Policy {
  std::string name;
  std::vector<PolicyRule> rules;  // in the order of the text
};

inline constexpr std::string_view kRootPolicy = "root";
inline constexpr std::string_view kDefaultPolicy = "default";

// The largest text of a policy.
inline constexpr std::size_t kMaxPolicyBytes = std::size_t{1024} * 1024;

Result<Policy> ParsePolicy(std::string name, std::string_view text);

// A policy's name as it is kept: in lower case, without blanks at its ends. kInvalid for a name
// with a comma or a control character, for an empty one, and beyond 512 bytes.
Result<std::string> PolicyName(std::string_view text);

}  // namespace coffer::auth
