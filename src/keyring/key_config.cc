#include "keyring/key_config.h"

#include <string>
#include <utility>

namespace coffer::keyring {
namespace {

auto Invalid(std::string message) { return Fail(Code::kInvalid, std::move(message)); }

}  // namespace

Status CheckAutoRotatePeriod(std::int64_t seconds) {
  constexpr std::int64_t kShortest = 3600;
  if (seconds == 0 || seconds >= kShortest) return {};
  return Invalid("auto rotate period must be 0 to disable or at least an hour");
}

Status ApplyConfig(Key& key, const ConfigChange& change) {
  KeySettings next = key.settings;
  const std::string latest = std::to_string(key.latest_version);
  if (change.min_decryption_version) {
    const std::int64_t wanted = *change.min_decryption_version;
    if (wanted < 0) return Invalid("min decryption version cannot be negative");
    if (wanted > key.latest_version) {
      return Invalid("cannot set min decryption version of " + std::to_string(wanted) +
                     ", latest key version is " + latest);
    }
    next.min_decryption_version = wanted == 0 ? 1 : static_cast<int>(wanted);
  }
  if (change.min_encryption_version) {
    const std::int64_t wanted = *change.min_encryption_version;
    if (wanted < 0) return Invalid("min encryption version cannot be negative");
    if (wanted > key.latest_version) {
      return Invalid("cannot set min encryption version of " + std::to_string(wanted) +
                     ", latest key version is " + latest);
    }
    next.min_encryption_version = static_cast<int>(wanted);
  }
  if (next.min_encryption_version > 0 &&
      next.min_encryption_version < next.min_decryption_version) {
    return Invalid("cannot set min encryption/decryption values; min encryption version of " +
                   std::to_string(next.min_encryption_version) +
                   " must be greater than or equal to min decryption version of " +
                   std::to_string(next.min_decryption_version));
  }
  if (next.min_encryption_version > 0 && next.min_encryption_version < next.min_available_version) {
    return Invalid("min encryption version should not be less than min available version");
  }
  if (next.min_decryption_version < next.min_available_version) {
    return Invalid("min decryption version should not be less then min available version");
  }
  if (change.auto_rotate_period_seconds) {
    const std::int64_t period = *change.auto_rotate_period_seconds;
    COFFER_TRY(CheckAutoRotatePeriod(period));
    next.auto_rotate_period_seconds = period;
  }
  if (change.deletion_allowed) next.deletion_allowed = *change.deletion_allowed;
  if (change.allow_plaintext_backup.value_or(false)) next.allow_plaintext_backup = true;
  key.settings = next;
  return {};
}

Status CheckTrim(const Key& key, std::int64_t wanted) {
  const KeySettings& settings = key.settings;
  if (wanted < 0) return Invalid("minimum available version cannot be negative");
  if (wanted < settings.min_available_version) {
    return Invalid("minimum available version cannot be decremented");
  }
  if (settings.min_encryption_version == 0) {
    return Invalid(
        "minimum available version cannot be set when minimum encryption version is not set");
  }
  if (settings.min_decryption_version == 0) {
    return Invalid(
        "minimum available version cannot be set when minimum decryption version is not set");
  }
  if (wanted > settings.min_encryption_version) {
    return Invalid("minimum available version cannot be greater than minmum encryption version");
  }
  if (wanted > settings.min_decryption_version) {
    return Invalid("minimum available version cannot be greater than minimum decryption version");
  }
  if (wanted == 0) return Invalid("minimum available version should be positive");
  return {};
}

Status CheckNewKey(const CreateOptions& options) {
  const KeyTypeInfo& info = InfoOf(options.type);
  const std::string name(info.name);
  if (options.convergent && !options.derived) {
    return Invalid("convergent encryption requires derivation to be enabled");
  }
  if ((options.derived && !info.derives) || (options.convergent && !info.convergent)) {
    return Invalid("key derivation and convergent encryption not supported for keys of type " +
                   name);
  }
  if (options.hmac_octets) {
    const std::int64_t octets = *options.hmac_octets;
    if (info.family != Family::kHmac) return Invalid("key_size is not valid for algorithm " + name);
    if (octets < kMinHmacOctets || octets > kMaxHmacOctets) {
      return Invalid("invalid key_size " + std::to_string(octets));
    }
    if (octets % 8 != 0) {
      return Invalid("invalid key_size " + std::to_string(octets) +
                     ": the token's key wrap takes multiples of 8 bytes");
    }
  }
  return CheckAutoRotatePeriod(options.auto_rotate_period_seconds);
}

}  // namespace coffer::keyring
