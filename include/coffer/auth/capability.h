#pragma once

// The capabilities that policies grant, and sets of them. Values without any state: whoever has one
// owns it, and any thread may read it. There are no errors; a name that is no capability's gives
// nothing.
// Example: `Capabilities granted; granted.Add(Capability::kRead);`

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::auth {

// The capabilities that a policy can grant on a path, named as in Vault. An operation that is
// protected needs kSudo besides its own capability.
enum class Capability : std::uint8_t {
  kCreate,
  kRead,
  kUpdate,
  kPatch,
  kDelete,
  kList,
  kScan,
  kSudo
};
inline constexpr std::size_t kCapabilityCount = 8;

std::string_view CapabilityName(Capability capability);  // "read"
std::optional<Capability> ParseCapability(std::string_view name);

// A set of capabilities, or the denial of all of them. A value.
class Capabilities {
 public:
  void Add(Capability capability) {
    if (!denied_) bits_ = static_cast<std::uint16_t>(bits_ | Bit(capability));
  }
  // Adds those of `other`; a denial in either denies all.
  void Add(const Capabilities& other);
  void Deny() {
    denied_ = true;
    bits_ = 0;
  }
  bool Has(Capability capability) const { return (bits_ & Bit(capability)) != 0; }
  bool Denied() const { return denied_; }
  bool Empty() const { return bits_ == 0; }
  // In the order in which Vault lists them; {"deny"} if there are none.
  std::vector<std::string_view> Names() const;
  friend bool operator==(const Capabilities&, const Capabilities&) = default;

 private:
  static constexpr std::uint16_t Bit(Capability capability) {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(capability));
  }
  std::uint16_t bits_ = 0;
  bool denied_ = false;
};

}  // namespace coffer::auth
