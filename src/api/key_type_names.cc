#include "key_type_names.h"

#include <algorithm>
#include <array>
#include <string>

namespace coffer::api {

Result<keyring::KeyType> KeyTypeOf(std::string_view name, std::string_view parameter_set) {
  // Types that other servers of this API know and that no token makes possible here.
  static constexpr std::array<std::string_view, 8> kKnownElsewhere = {
      "managed_key", "slh-dsa",    "hybrid", "external-key",
      "aes128-cbc",  "aes256-cbc", "ed448",  "ml-kem"};
  // Two dialects of one type: "ml-dsa" with a parameter set, and "mldsa-44".
  if (name == "ml-dsa") {
    const std::string_view set = parameter_set.empty() ? "65" : parameter_set;
    if (set != "44" && set != "65" && set != "87") {
      return Fail(Code::kInvalid, "invalid parameter set " + std::string(set) + " for key type " +
                                      std::string(name));
    }
    return keyring::ParseKeyType("mldsa-" + std::string(set));
  }
  if (std::ranges::find(kKnownElsewhere, name) != kKnownElsewhere.end()) {
    return Fail(Code::kInvalid,
                "key type " + std::string(name) + " is not supported by this server");
  }
  return keyring::ParseKeyType(name);
}

}  // namespace coffer::api
