#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "coffer/base/ids.h"

namespace coffer::keyring {

// The names of all objects that Coffer makes in a token. They are made here only.

inline constexpr std::string_view kMetaLabel = "coffer-meta";
inline constexpr std::string_view kAuditLabel = "coffer-audit";
inline constexpr std::string_view kImportWrappingLabel = "coffer-import-wrapping-v1";
inline constexpr std::string_view kImportDevLabel = "coffer-import-dev-v1";
inline constexpr std::string_view kEpochApplication = "coffer-epoch";
inline constexpr std::string_view kResidentLabelPrefix = "coffer-key-";
inline constexpr std::string_view kProbeLabelPrefix = "coffer-probe-";  // pkcs11::ProbeToken's too

// A master's name, as rows have it: "aes-v1". Its object's label is "coffer-aes-v1".
std::string MasterName(std::string_view master_class, int version);
std::string MasterLabel(std::string_view master_name);

// The parts of a master's name; nothing where it is none.
struct MasterNameParts {
  std::string_view master_class;
  int version = 0;
};
std::optional<MasterNameParts> ParseMasterName(std::string_view name);
std::optional<MasterNameParts> ParseMasterLabel(std::string_view label);

// The label of an epoch object, and the epoch that a label says.
std::string EpochLabel(std::uint64_t epoch);
std::optional<std::uint64_t> ParseEpochLabel(std::string_view label);

}  // namespace coffer::keyring
