#include "api/vault/transit/wanted_version.h"

#include "coffer/base/parse.h"

namespace coffer::api {

Result<std::optional<std::int64_t>> WantedVersion(const keyring::Key& key, std::string_view text) {
  if (text.empty()) return std::optional<std::int64_t>();
  if (text == "latest") return std::optional<std::int64_t>(key.latest_version);
  if (text.starts_with('v')) text.remove_prefix(1);
  const auto version = ParseInt64(text);
  if (!version) return Fail(Code::kInvalid, "invalid key version");
  if (*version < key.settings.min_decryption_version) {
    return Fail(Code::kInvalid, "version for export is below minimum decryption version");
  }
  if (!key.versions.contains(static_cast<int>(*version))) {
    return Fail(Code::kInvalid, "version does not exist or cannot be found");
  }
  return std::optional(*version);
}

}  // namespace coffer::api
