#include "server/token/token_making.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <utility>

#include "coffer/keyring/token_admin.h"
#include "server/token/secret_file.h"

namespace coffer::server {
namespace {

constexpr std::size_t kPinDigits = 32;

// The configured token, or the one that would become it.
Result<keyring::TokenDescription> TokenToMake(const Config& config) {
  auto found = keyring::DescribeToken(config.token);
  if (found || !MeansAbsent(config, found.error())) return found;
  return keyring::DescribeFreeToken(config.token);
}

// Checks the length of a PIN. A bound that the token does not tell does not count.
Status CheckLength(const keyring::TokenDescription& token, const PinSource& source,
                   const SecretBytes& pin) {
  const std::size_t longest = token.max_pin_octets;
  if (pin.size() >= token.min_pin_octets && (longest == 0 || pin.size() <= longest)) return {};
  return Fail(Code::kInvalid,
              source.Name() + " is too " + (pin.size() < token.min_pin_octets ? "short" : "long") +
                  ": this token takes " + std::to_string(token.min_pin_octets) + " to " +
                  std::to_string(longest) + " bytes; nothing was changed in the token");
}

// The advice for a token that cannot be opened. SoftHSM labels a token before it stores its SO PIN:
// a process that is killed between the two leaves a token that no PIN opens. It has no user PIN, so
// it holds no key.
std::string HowToRemove(const Config& config, const keyring::TokenDescription& token) {
  if (!IsSoftHsm(config)) return "";
  const std::string place =
      config.softhsm_config.empty() ? "" : "SOFTHSM2_CONF=" + config.softhsm_config.string() + " ";
  return "; where a killed run of coffer hsm init left it, it holds no key: " + place +
         "softhsm2-util --delete-token --serial " + token.serial;
}

}  // namespace

bool IsSoftHsm(const Config& config) {
  return config.token.module.filename().string().find("softhsm") != std::string::npos;
}

bool MeansAbsent(const Config& config, const Error& error) {
  return error.code == Code::kNotFound || (error.code == Code::kTokenFailed && IsSoftHsm(config));
}

Result<bool> IsTokenUsable(const Config& config) {
  const auto found = keyring::DescribeToken(config.token);
  if (found) return found->user_pin_initialized;
  if (MeansAbsent(config, found.error())) return false;
  return Fail(found.error());
}

SecretBytes RandomPin(Random& random, std::size_t digits) {
  std::array<std::uint8_t, kPinDigits / 2> octets{};
  random.Fill(octets);
  std::string text = ToHex(octets);
  SecretBytes pin = SecretBytes::CopyOf(AsBytes(std::string_view(text).substr(0, digits)));
  SecureWipe(octets.data(), octets.size());
  SecureWipe(text.data(), text.size());
  return pin;
}

Result<bool> MakePinFile(const Config& config, const std::filesystem::path& file, Random& random) {
  if (file.empty()) return false;
  COFFER_ASSIGN(const auto existing, ReadSecretFile(file));
  if (existing) return false;
  COFFER_ASSIGN(const keyring::TokenDescription token, TokenToMake(config));
  const std::size_t longest = token.max_pin_octets == 0 ? kPinDigits : token.max_pin_octets;
  COFFER_TRY(WriteSecretFile(file, RandomPin(random, std::min(longest, kPinDigits))));
  return true;
}

Result<NewPins> NewPins::Read(const Config& config) {
  COFFER_ASSIGN(PinSource source, FindUserPin(config));
  COFFER_ASSIGN(PinSource so_source, FindSoPin(config));
  COFFER_ASSIGN(SecretBytes pin, source.ReadNew());
  COFFER_ASSIGN(SecretBytes so_pin, so_source.ReadNew());
  return NewPins{std::move(source), std::move(pin), std::move(so_source), std::move(so_pin)};
}

Status MakeToken(const Config& config, const NewPins& pins) {
  COFFER_ASSIGN(const keyring::TokenDescription token, TokenToMake(config));
  COFFER_TRY(CheckLength(token, pins.source, pins.pin));
  COFFER_TRY(CheckLength(token, pins.so_source, pins.so_pin));
  const Status made = keyring::MakeToken(config.token, pins.so_pin, pins.pin);
  const bool so_pin_refused =
      !made && (made.error().code == Code::kPinIncorrect || made.error().code == Code::kPinLocked);
  if (!so_pin_refused) return made;
  return Fail(Code::kInvalid,
              pins.so_source.Name() +
                  " was refused by the token, which has no user PIN yet: put the right one there; "
                  "a token locks after a few wrong ones" +
                  HowToRemove(config, token),
              made.error().cause);
}

}  // namespace coffer::server
