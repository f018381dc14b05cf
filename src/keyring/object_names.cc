#include "keyring/object_names.h"

#include <array>
#include <charconv>

#include "coffer/base/bytes.h"
#include "coffer/keyring/token_admin.h"

namespace coffer::keyring {
namespace {

constexpr std::string_view kOwnPrefix = "coffer-";
constexpr std::string_view kVersionMark = "-v";
constexpr std::string_view kEpochLabelPrefix = "coffer-epoch-";

template <typename Number>
bool ReadWhole(std::string_view digits, Number& value, int base) {
  const char* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, value, base);
  return error == std::errc{} && stopped == end;
}

}  // namespace

std::string MasterName(std::string_view master_class, int version) {
  return std::string(master_class).append(kVersionMark) + std::to_string(version);
}

std::string MasterLabel(std::string_view master_name) {
  return std::string(kOwnPrefix).append(master_name);
}

std::optional<MasterNameParts> ParseMasterName(std::string_view name) {
  const std::size_t mark = name.rfind(kVersionMark);
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  MasterNameParts parts{name.substr(0, mark), 0};
  const std::string_view digits = name.substr(mark + kVersionMark.size());
  if (!ReadWhole(digits, parts.version, 10) || parts.version < 1) return std::nullopt;
  return parts;
}

std::optional<MasterNameParts> ParseMasterLabel(std::string_view label) {
  if (!label.starts_with(kOwnPrefix)) return std::nullopt;
  return ParseMasterName(label.substr(kOwnPrefix.size()));
}

std::string ResidentLabel(const Id& database) {
  return std::string(kResidentLabelPrefix) + database.ToUuid();
}

std::string EpochLabel(std::uint64_t epoch) {
  std::array<std::uint8_t, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(epoch >> (56 - 8 * i));
  }
  return std::string(kEpochLabelPrefix) + ToHex(bytes);
}

std::optional<std::uint64_t> ParseEpochLabel(std::string_view label) {
  if (!label.starts_with(kEpochLabelPrefix)) return std::nullopt;
  label.remove_prefix(kEpochLabelPrefix.size());
  std::uint64_t epoch = 0;
  if (label.size() != 16 || !ReadWhole(label, epoch, 16)) return std::nullopt;
  return epoch;
}

}  // namespace coffer::keyring
