#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/auth/access_rules.h"

using coffer::auth::Capability;

// A text is a policy or is refused with its place. Whatever it says, the path of a rule is decided
// by a rule, and a rule that denies grants nothing.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = coffer::auth::ParsePolicy("fuzz", text);
  if (!policy) {
    if (!policy.error().message.starts_with("line ")) std::abort();
    return 0;
  }
  const std::vector<const coffer::auth::Policy*> policies{&*policy};
  const auto rules = coffer::auth::AccessRules::Compile(policies);
  for (const coffer::auth::PolicyRule& rule : policy->rules) {
    if (rule.templated) continue;
    std::string path = rule.path;
    if (rule.prefix || (rule.segments && path.ends_with('*'))) path.pop_back();
    for (const Capability capability : {Capability::kRead, Capability::kList}) {
      const coffer::auth::Permission* const found =
          rules->Find(path, capability == Capability::kList);
      if (found == nullptr) std::abort();
      const bool allowed = rules->Decide({.path = path, .capability = capability}).allowed;
      if (allowed && (found->capabilities.Denied() || !found->capabilities.Has(capability))) {
        std::abort();
      }
    }
    static_cast<void>(rules->MayReachBelow(path));
  }
  return 0;
}
