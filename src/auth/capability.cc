#include "coffer/auth/capability.h"

#include <array>

namespace coffer::auth {
namespace {

constexpr std::array<std::string_view, kCapabilityCount> kCapabilityNames{
    "create", "read", "update", "patch", "delete", "list", "scan", "sudo"};

// The order in which Vault's answers list them.
constexpr std::array<Capability, kCapabilityCount> kListed{
    Capability::kSudo,   Capability::kRead,   Capability::kList,  Capability::kUpdate,
    Capability::kDelete, Capability::kCreate, Capability::kPatch, Capability::kScan};

}  // namespace

std::string_view CapabilityName(Capability capability) {
  return kCapabilityNames.at(static_cast<std::size_t>(capability));
}

std::optional<Capability> ParseCapability(std::string_view name) {
  for (std::size_t i = 0; i < kCapabilityNames.size(); ++i) {
    if (kCapabilityNames.at(i) == name) return static_cast<Capability>(i);
  }
  return std::nullopt;
}

void Capabilities::Add(const Capabilities& other) {
  if (other.denied_) Deny();
  if (!denied_) bits_ = static_cast<std::uint16_t>(bits_ | other.bits_);
}

std::vector<std::string_view> Capabilities::Names() const {
  std::vector<std::string_view> names;
  for (const Capability capability : kListed) {
    if (Has(capability)) names.push_back(CapabilityName(capability));
  }
  if (names.empty()) names.emplace_back("deny");
  return names;
}

}  // namespace coffer::auth
