#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/endpoint_table.h"
#include "coffer/api/registry.h"

namespace coffer::api {

// The declaration of an engine or auth method: everything that the pipeline, the mounts, the
// database, the metrics and the documents must know about it. None of them knows an engine by its
// name.
struct EngineType {
  std::string_view name;              // "transit": what audit entries, metrics and mounts call it
  std::string_view title;             // "Transit": its chapter of the reference
  std::string_view description = {};  // shown for a built-in engine in a list of mounts
  MountPlace place = MountPlace::kSecret;
  std::string_view path;  // "transit/": where it is built in, or is usually mounted
  std::vector<Endpoint> (*endpoints)() = nullptr;
  // The migrations that its stores need in the database. Null: none.
  std::vector<storage::Migration> (*schema)() = nullptr;
  // Ends a mount: removes everything that belongs to it, before the mount itself is removed, on the
  // custodian's thread. If it fails on the way, it is called again when the mount is removed again.
  // Null: nothing belongs to a mount.
  Status (*end_of_mount)(EngineState engine, const mounts::Mount& mount) = nullptr;
  // Refuses a path because of its captures, before anything is decoded. Null: it refuses no path.
  Status (*check_captures)(const Captures& captures) = nullptr;
  // True if a capture called "name" names a key: the requests of each key are then counted.
  bool has_keys = false;
};

// "system", "auth" or "secret": what the trail calls the kind of a mount.
std::string_view ClassOf(const EngineType& type);

// An engine of a server: its declaration, its data, and the table of its endpoints. Immutable.
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

// Refuses a capture called "name" that has more bytes than the name of a key or a file may have:
// the client is told so, instead of that there is no such thing.
Status CheckNames(const Captures& captures);

// True if a path belongs to an engine of Vault that this server does not have.
bool KeptForLater(std::string_view path);
// The paths that belong to no engine of this program and at which nothing may be mounted.
std::vector<std::string> PathsOfNoEngine();

}  // namespace coffer::api
