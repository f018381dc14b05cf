#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "coffer/base/clock.h"
#include "coffer/base/error.h"
#include "coffer/base/result.h"

namespace coffer::api {

// The last backup that was asked for.
struct BackupState {
  enum class Phase { kRunning, kDone, kFailed };
  std::string name;
  Phase phase = Phase::kRunning;
  SystemTime started{};
  std::int64_t pages_done = 0;
  std::int64_t pages_total = 0;
  Error error;  // kFailed
  // kDone:
  std::uint64_t epoch = 0;
  std::int64_t keys = 0;
  std::uint64_t octets = 0;
  std::string sha256;  // of the copy, in hexadecimal
};

// Makes backups of the server into one directory that its configuration names. Thread-safe.
class Backups {
 public:
  virtual ~Backups() = default;
  // Begins one and returns. `name` is a GenericName, so that it can be no path. kInvalid where
  // there is no directory for it, kConflict where one is running or the name is taken.
  virtual Status Start(std::string_view name, bool overwrite) = 0;
  virtual std::optional<BackupState> Last() const = 0;
};

}  // namespace coffer::api
