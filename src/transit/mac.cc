// HMAC by the second key that every version has, and CMAC. Both are made in the token; a code is
// verified by making it again and comparing in constant time.

#include <utility>

#include "key_lookup.h"

namespace coffer::transit {
namespace {

using keyring::SignMechanism;

constexpr std::int64_t kMinCmacOctets = 8;  // NIST SP 800-38B: no fewer than 64 bits
constexpr std::int64_t kMaxCmacOctets = 16;

SignMechanism MechanismOf(const MacOptions& options) {
  if (options.kind == MacOptions::Kind::kCmac) return {SignMechanism::Kind::kCmac};
  return {SignMechanism::Kind::kHmac, options.hash, 0};
}

Status CheckMacs(const keyring::Key& key, const MacOptions& options) {
  if (options.kind == MacOptions::Kind::kHmac) return {};
  if (!key.Info().cmac) {
    return Fail(Refusal::kPurposeUnsupported,
                {.purpose = Purpose::kCmac, .name = std::string(key.Info().name)});
  }
  if (options.octets && (*options.octets < kMinCmacOctets || *options.octets > kMaxCmacOctets)) {
    return Fail(Refusal::kMacLength, {.given = *options.octets});
  }
  return {};
}

Result<Bytes> MacBy(const Caller& caller, const keyring::Key& key,
                    const keyring::KeyVersion& version, ByteView input, const MacOptions& options) {
  auto mac = caller.lane->Sign(key, version, MechanismOf(options), input);
  if (!mac && mac.error().refusal == Refusal::kHashNotInToken) {
    // The key cannot leave the token, so a MAC that the token cannot compute cannot be computed at
    // all.
    return Fail(Refusal::kHmacHashUnsupported);
  }
  if (!mac && mac.error().code == Code::kTokenRefused) {
    return Fail(Refusal::kHmacKeySizeUnsupported, {}, std::move(mac.error().cause));
  }
  if (mac && options.octets && mac->size() > static_cast<std::size_t>(*options.octets)) {
    mac->resize(static_cast<std::size_t>(*options.octets));
  }
  return mac;
}

Result<Signature> MacOne(const Caller& caller, const keyring::Key& key, const SignItem& item,
                         const MacOptions& options) {
  COFFER_ASSIGN(const auto* const version, key.ForMac(item.key_version));
  COFFER_ASSIGN(Bytes mac, MacBy(caller, key, *version, item.input, options));
  return Signature{version->info.version, std::move(mac)};
}

Result<bool> VerifyOne(const Caller& caller, const keyring::Key& key, const VerifyItem& item,
                       const MacOptions& options) {
  COFFER_ASSIGN(const auto* const version, key.ForMacVerification(item.version));
  COFFER_ASSIGN(const Bytes mac, MacBy(caller, key, *version, item.input, options));
  return ConstantTimeEqual(mac, item.signature);
}

}  // namespace

Result<std::vector<Result<Signature>>> Engine::Mac(const Caller& caller, std::string_view key,
                                                   std::span<const SignItem> items,
                                                   const MacOptions& options) {
  COFFER_ASSIGN(const auto found, FindKey(keys_, caller, key, Purpose::kMac));
  COFFER_TRY(CheckMacs(*found, options));
  std::vector<Result<Signature>> results;
  results.reserve(items.size());
  for (const SignItem& item : items) {
    auto made = MacOne(caller, *found, item, options);
    if (!made && EndsRequest(made.error().code)) return Fail(made.error());
    results.push_back(std::move(made));
  }
  return results;
}

Result<std::vector<Result<bool>>> Engine::VerifyMac(const Caller& caller, std::string_view key,
                                                    std::span<const VerifyItem> items,
                                                    const MacOptions& options) {
  COFFER_ASSIGN(const auto found, FindKey(keys_, caller, key, Purpose::kMacVerification));
  COFFER_TRY(CheckMacs(*found, options));
  std::vector<Result<bool>> results;
  results.reserve(items.size());
  for (const VerifyItem& item : items) {
    auto verified = VerifyOne(caller, *found, item, options);
    if (!verified && EndsRequest(verified.error().code)) return Fail(verified.error());
    results.push_back(std::move(verified));
  }
  return results;
}

}  // namespace coffer::transit
