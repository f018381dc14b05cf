#include "coffer/base/address_set.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "coffer/base/ascii.h"

namespace coffer {
namespace {

using Octets = std::array<std::uint8_t, 16>;
constexpr unsigned kMappedBits = 96;
constexpr std::size_t kClientOctets = 8;  // a network that providers give to one customer

std::optional<Octets> OctetsOf(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> copy{};
  std::copy(text.begin(), text.end(), copy.begin());
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  Octets octets{};
  if (::inet_pton(AF_INET6, copy.data(), octets.data()) == 1) return octets;
  octets = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (::inet_pton(AF_INET, copy.data(), octets.data() + 12) == 1) return octets;
  return std::nullopt;
}

bool IsMapped(const Octets& octets) {
  return std::all_of(octets.begin(), octets.begin() + 10, [](std::uint8_t o) { return o == 0; }) &&
         octets[10] == 0xff && octets[11] == 0xff;
}

bool SameNetwork(const Octets& a, const Octets& b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00U >> rest);
  return (a[whole] & mask) == (b[whole] & mask);
}

}  // namespace

std::string CanonicalAddress(std::string_view text) {
  const auto octets = OctetsOf(text);
  if (!octets) return {};
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  const bool mapped = IsMapped(*octets);
  ::inet_ntop(mapped ? AF_INET : AF_INET6, octets->data() + (mapped ? 12 : 0), canonical.data(),
              canonical.size());
  return canonical.data();
}

std::string ClientNetwork(std::string_view text) {
  auto octets = OctetsOf(text);
  if (!octets || IsMapped(*octets)) return octets ? CanonicalAddress(text) : std::string(text);
  std::fill(octets->begin() + kClientOctets, octets->end(), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> network{};
  ::inet_ntop(AF_INET6, octets->data(), network.data(), network.size());
  return std::string(network.data()) + "/64";
}

Result<AddressSet> AddressSet::Parse(const std::vector<std::string>& texts) {
  AddressSet set;
  for (const std::string& text : texts) {
    if (text == "unix") {
      set.unix_ = true;
      continue;
    }
    const std::string_view whole = text;
    const std::size_t slash = whole.find('/');
    const std::string_view address = whole.substr(0, slash);
    const auto octets = OctetsOf(address);
    unsigned bits = address.find(':') == std::string_view::npos ? 32 : 128;
    bool good = octets.has_value();
    if (good && slash != std::string_view::npos) {
      const std::string_view digits = whole.substr(slash + 1);
      unsigned given = 0;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), given);
      good = !digits.empty() && error == std::errc() && end == digits.data() + digits.size() &&
             given <= bits;
      bits = given;
    }
    if (!good) {
      return Fail(Code::kInvalid, "\"" + text + "\" is neither an address, a network nor \"unix\"");
    }
    const bool four = address.find(':') == std::string_view::npos;
    set.networks_.push_back({*octets, four ? kMappedBits + bits : bits});
  }
  return set;
}

bool AddressSet::Contains(std::string_view address) const {
  if (address == "@") return unix_;
  if (networks_.empty()) return false;
  const auto octets = OctetsOf(address);
  return octets && std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
           return SameNetwork(network.octets, *octets, network.bits);
         });
}

std::string ForwardedClient(std::string_view header, const AddressSet& trusted) {
  std::string client;
  while (true) {
    const std::size_t comma = header.rfind(',');
    const std::string_view part =
        comma == std::string_view::npos ? header : header.substr(comma + 1);
    client = CanonicalAddress(Trim(part));
    if (client.empty() || comma == std::string_view::npos || !trusted.Contains(client)) {
      return client;
    }
    header = header.substr(0, comma);
  }
}

}  // namespace coffer
