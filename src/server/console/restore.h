#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "coffer/base/result.h"
#include "server/console/console_command.h"

namespace coffer::server {

struct RestoreOrder {
  std::filesystem::path file;
  std::optional<std::uint64_t> accept_rollback;  // the operator's word: this epoch
};

// Puts a backup's database in the place of the server's, which is stopped, and prints what that
// means. Killed at any moment, the server has its former database or the restored one.
Status Restore(Console& console, const RestoreOrder& order);

}  // namespace coffer::server
