#include "keyring/key_config.h"

#include <string>

namespace coffer::keyring {

Status CheckAutoRotatePeriod(std::int64_t seconds) {
  constexpr std::int64_t kShortest = 3600;
  if (seconds == 0 || seconds >= kShortest) return {};
  return Fail(Refusal::kAutoRotatePeriodTooShort, {.given = seconds, .bound = kShortest});
}

Status ApplyConfig(Key& key, const ConfigChange& change) {
  KeySettings next = key.settings;
  if (change.min_decryption_version) {
    const std::int64_t wanted = *change.min_decryption_version;
    if (wanted < 0) return Fail(Refusal::kMinDecryptionVersionNegative, {.given = wanted});
    if (wanted > key.latest_version) {
      return Fail(Refusal::kMinDecryptionAboveLatest,
                  {.given = wanted, .bound = key.latest_version});
    }
    next.min_decryption_version = wanted == 0 ? 1 : static_cast<int>(wanted);
  }
  if (change.min_encryption_version) {
    const std::int64_t wanted = *change.min_encryption_version;
    if (wanted < 0) return Fail(Refusal::kMinEncryptionVersionNegative, {.given = wanted});
    if (wanted > key.latest_version) {
      return Fail(Refusal::kMinEncryptionAboveLatest,
                  {.given = wanted, .bound = key.latest_version});
    }
    next.min_encryption_version = static_cast<int>(wanted);
  }
  const int encrypts = next.min_encryption_version;
  const int decrypts = next.min_decryption_version;
  const int available = next.min_available_version;
  if (encrypts > 0 && encrypts < decrypts) {
    return Fail(Refusal::kMinEncryptionBelowMinDecryption, {.given = encrypts, .bound = decrypts});
  }
  if (encrypts > 0 && encrypts < available) {
    return Fail(Refusal::kMinEncryptionBelowMinAvailable, {.given = encrypts, .bound = available});
  }
  if (decrypts < available) {
    return Fail(Refusal::kMinDecryptionBelowMinAvailable, {.given = decrypts, .bound = available});
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
  const auto refuse = [wanted](Refusal refusal, int bound) {
    return Fail(refusal, {.given = wanted, .bound = bound});
  };
  if (wanted < 0) return Fail(Refusal::kTrimNegative, {.given = wanted});
  if (wanted < settings.min_available_version) {
    return refuse(Refusal::kTrimBackwards, settings.min_available_version);
  }
  if (settings.min_encryption_version == 0) return Fail(Refusal::kTrimWithoutMinEncryption);
  if (settings.min_decryption_version == 0) return Fail(Refusal::kTrimWithoutMinDecryption);
  if (wanted > settings.min_encryption_version) {
    return refuse(Refusal::kTrimAboveMinEncryption, settings.min_encryption_version);
  }
  if (wanted > settings.min_decryption_version) {
    return refuse(Refusal::kTrimAboveMinDecryption, settings.min_decryption_version);
  }
  if (wanted == 0) return Fail(Refusal::kTrimToNothing);
  return {};
}

Status CheckNewKey(const CreateOptions& options) {
  constexpr std::int64_t kWrapUnit = 8;
  const KeyTypeInfo& info = InfoOf(options.type);
  const std::string name(info.name);
  if (options.convergent && !options.derived) {
    return Fail(Refusal::kConvergentWithoutDerivation);
  }
  if ((options.derived && !info.derives) || (options.convergent && !info.convergent)) {
    return Fail(Refusal::kDerivationUnsupported, {.name = name});
  }
  if (options.exportable && options.derived) return Fail(Refusal::kExportDerived);
  if (options.exportable && info.family == Family::kEd25519) {
    return Fail(Refusal::kExportOfTypeImpossible, {.name = name});
  }
  const bool plain = !options.derived && !options.exportable;
  if (options.resident && (options.type != KeyType::kAes256Gcm96 || !plain)) {
    return Fail(Code::kInternal, "only plain AES-256 keys can be asked to be resident");
  }
  if (options.hmac_octets) {
    const std::int64_t octets = *options.hmac_octets;
    if (info.family != Family::kHmac) return Fail(Refusal::kKeySizeUnsupported, {.name = name});
    if (octets < kMinHmacOctets || octets > kMaxHmacOctets) {
      return Fail(Refusal::kKeySizeOutOfRange, {.given = octets});
    }
    if (octets % kWrapUnit != 0) {
      return Fail(Refusal::kKeySizeUneven, {.given = octets, .bound = kWrapUnit});
    }
  }
  return CheckAutoRotatePeriod(options.auto_rotate_period_seconds);
}

}  // namespace coffer::keyring
