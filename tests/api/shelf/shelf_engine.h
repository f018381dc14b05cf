#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/api/registry.h"
#include "coffer/base/ids.h"

namespace coffer::api {

// The notes on the shelves of some mounts, in memory. Thread-safe.
class Shelves {
 public:
  void Put(const Id& mount, std::string_view name, std::string_view text);
  std::optional<std::string> Find(const Id& mount, std::string_view name) const;
  std::vector<std::string> Names(const Id& mount) const;
  void Drop(const Id& mount, std::string_view name);
  void DropAll(const Id& mount);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, std::string>> shelves_;  // guarded by mutex_
};

// A secrets engine of the type "shelf" that keeps notes. No program has it: it shows what a new
// engine needs.
const EngineType& ShelfEngineType();
Registration ShelfEngine(Shelves& shelves);

}  // namespace coffer::api
