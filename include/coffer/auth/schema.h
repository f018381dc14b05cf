#pragma once

#include <vector>

#include "coffer/storage/database.h"

namespace coffer::auth {

// The migrations of the database that the stores of this room need: policies, tokens and roles.
std::vector<storage::Migration> Schema();

}  // namespace coffer::auth
