#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/endpoint_table.h"
#include "coffer/api/registry.h"

namespace coffer::api {

// What an engine or auth method is. Everything that the pipeline, the mounts, the database, the
// metrics and the documents need to know of it; none of them knows an engine by its name.
struct EngineType {
  std::string_view name;              // "transit": what audit entries, metrics and mounts call it
  std::string_view title;             // "Transit": its chapter of the reference
  std::string_view description = {};  // of a built-in engine, in a list of mounts
  MountPlace place = MountPlace::kSecret;
  std::string_view path;  // "transit/": where it is built in, or is usually mounted
  std::vector<Endpoint> (*endpoints)() = nullptr;
  // What its stores need in the database. Null: nothing.
  std::vector<storage::Migration> (*schema)() = nullptr;
  // The end of a mount: whatever belongs to it goes, before the mount does, on the custodian's
  // thread. A mount whose end failed on the way is ended again. Null: nothing belongs to a mount.
  Status (*end_of_mount)(EngineState engine, const mounts::Mount& mount) = nullptr;
  // Refuses a path by its captures, before anything is decoded. Null: no path.
  Status (*check_captures)(const Captures& captures) = nullptr;
  // A capture called "name" names a key, and the requests of keys are counted for each of them.
  bool has_keys = false;
};

// "system", "auth" or "secret": what the trail calls the kind of a mount.
std::string_view ClassOf(const EngineType& type);

// An engine of a server: its type, what it works on, and what a path means to it. Immutable.
class RegisteredEngine {
 public:
  RegisteredEngine(const EngineType& type, EngineState state, EndpointTable table)
      : type_(type), state_(state), table_(std::move(table)) {}
  const EngineType& Type() const { return type_; }
  std::string_view Name() const { return type_.name; }
  EngineState State() const { return state_; }
  const EndpointTable& Table() const { return table_; }
  const std::vector<Endpoint>& Endpoints() const { return table_.Endpoints(); }

 private:
  const EngineType& type_;
  const EngineState state_;
  const EndpointTable table_;
};

// Refuses a capture called "name" that has more bytes than the name of a key or a file may have: it
// is said, instead of there being no such thing.
Status CheckNames(const Captures& captures);

// Tells whether a path belongs to an engine that is not there yet, or to none ever.
bool KeptForLater(std::string_view path);
// Where no engine is and nothing may be mounted.
std::vector<std::string> PathsOfNoEngine();

}  // namespace coffer::api
