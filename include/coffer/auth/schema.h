#pragma once

// The tables of this room's stores: policies, tokens and roles. A function without any state or
// error, for any thread.

#include <vector>

#include "coffer/storage/database.h"

namespace coffer::auth {

// The migrations that make the tables, for storage::Database::Open().
std::vector<storage::Migration> Schema();

}  // namespace coffer::auth
