#include "keyring/unusable_versions.h"

#include <map>
#include <string>
#include <utility>

#include "keyring/key_mechanisms.h"
#include "keyring/wrapped_blob.h"

namespace coffer::keyring {
namespace {

// Says why the token cannot use a version; empty if it can. A blob's MAC has been checked, so it is
// what was wrapped: one that opens shows that its master is the right one.
class VersionCheck {
 public:
  explicit VersionCheck(Token& token) : token_(token) {}

  Result<std::string> WhyUnusable(const KeySpec& spec, const KeyVersion& version) {
    if (version.custody == Custody::kResident) {
      const auto object = token_.FindResident(version.locator);
      if (!object && object.error().code != Code::kCorrupt) return Fail(object.error());
      if (!object) return std::string("its object is not in the token");
    } else if (!version.blob.empty()) {  // else its public part was imported alone
      const Use use = MainUse(spec);
      COFFER_ASSIGN(std::string why, WhyClosed(spec, use, version.info.master, version.blob));
      if (!why.empty()) return why;
    }
    if (version.hmac_blob.empty()) return std::string();
    return WhyClosed(spec, Use::kHmac, version.hmac_master, version.hmac_blob);
  }

 private:
  Result<std::string> WhyClosed(const KeySpec& spec, Use use, const std::string& master,
                                ByteView blob) {
    const auto known = masters_.find(master);
    if (known != masters_.end()) return known->second;
    const auto opened = Opens(token_, spec, use, master, blob);
    // A token that cannot hold the key type may have the master all the same.
    if (!opened && opened.error().refusal == Refusal::kKeyTypeUnsupported) {
      return opened.error().message;
    }
    if (!opened) return Fail(opened.error());
    std::string why = *opened ? "" : "its master key coffer-" + master + " is not in the token";
    masters_.emplace(master, why);
    return why;
  }

  Token& token_;
  std::map<std::string, std::string, std::less<>> masters_;  // -> why not
};

}  // namespace

Result<std::vector<UnusableVersion>> FindUnusable(Token& token, storage::Database& database,
                                                  const Catalog& catalog) {
  std::vector<UnusableVersion> found;
  COFFER_ASSIGN(const auto places, store::AllKeys(database, nullptr));
  VersionCheck check(token);
  for (const store::MountedName& place : places) {
    const auto stored = catalog.Load(token, place.mount, place.name);
    if (!stored) {
      if (stored.error().code != Code::kCorrupt) return Fail(stored.error());
      found.push_back({place.mount, place.name, 0, stored.error().message});
      continue;
    }
    for (const auto& [number, version] : stored->key.versions) {
      COFFER_ASSIGN(std::string why, check.WhyUnusable(stored->key.SpecOf(version), version));
      if (!why.empty()) found.push_back({place.mount, place.name, number, std::move(why)});
    }
  }
  return found;
}

}  // namespace coffer::keyring
