#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "coffer/base/clock.h"
#include "coffer/base/error.h"
#include "coffer/base/result.h"

namespace coffer::api {

// The state of the last backup that somebody asked for, as a value.
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
  std::string sha256;  // the copy's, in hexadecimal
};

// Makes backups of the server into one directory, which the configuration names. The server's
// backup office implements it and outlives the engine of sys/. Thread-safe. Errors of starting a
// backup are a Status; errors of the running one are in its BackupState.
class Backups {
 public:
  virtual ~Backups() = default;
  // Begins a backup and returns without waiting for it. `name` is a GenericName, so that it cannot
  // be a path. kInvalid if there is no directory, kConflict if a backup is running or the name is
  // taken.
  virtual Status Start(std::string_view name, bool overwrite) = 0;
  virtual std::optional<BackupState> Last() const = 0;
};

}  // namespace coffer::api
