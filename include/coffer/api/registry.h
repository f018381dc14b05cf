#pragma once

// The engines and auth methods of a server. Everything that differs between them is asked here, so
// that no other code names one. The program's wiring makes the Registry from one Registration for
// each engine and keeps it, and the states that they refer to, until the services are gone.
// Immutable, for any thread. Errors: kInternal if the engines cannot be registered together.
// Example: `auto registry = Registry::Make({system.Registered(), TokenEngine(token),
// TransitEngine(transit)});`

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/mounts/mount_table.h"
#include "coffer/storage/database.h"

namespace coffer::api {

// The ways in which an engine gets its path.
enum class MountPlace {
  kBuiltIn,  // every server has it at one path, and nobody can change that
  kSecret,   // mounted at any free path, any number of times
  kAuth,     // an auth method, mounted below auth/
};

struct EngineType;
class RegisteredEngine;

// A reference to the data of an engine, whose type only that engine knows. A value; the data must
// outlive it.
class EngineState {
 public:
  EngineState() = default;
  template <typename State>
  static EngineState Of(State& state) {
    return EngineState(&state);
  }
  // `State` must be the type that Of() was given; the files of the engine are responsible for that.
  template <typename State>
  State& As() const {
    return *static_cast<State*>(state_);
  }

 private:
  explicit EngineState(void* state) : state_(state) {}
  void* state_ = nullptr;
};

// An engine or auth method of a server: its declaration, and its data.
struct Registration {
  const EngineType* type = nullptr;
  EngineState state;
};

// The set of the engines and auth methods of a server. Immutable, so that any thread may read it.
class Registry {
 public:
  // kInternal, saying why, if two engines have one name or path, if two endpoints of one engine
  // have one pattern, or if a pattern is malformed.
  static Result<std::unique_ptr<const Registry>> Make(const std::vector<Registration>& engines);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The engines in the order of their registration.
  const std::vector<std::unique_ptr<const RegisteredEngine>>& Engines() const { return engines_; }
  // Finds an engine by its name; a secrets engine and an auth method may share one. Null if there
  // is none.
  const RegisteredEngine* Find(std::string_view name, MountPlace place) const;
  // The engine of a mount, by the mount's type and path. Null if this program does not have it.
  const RegisteredEngine* EngineOf(const mounts::Mount& mount) const;
  // The built-in engine at a path that `path` begins with; null if there is none.
  const RegisteredEngine* BuiltInAt(std::string_view path) const;

 private:
  Registry();
  std::vector<std::unique_ptr<const RegisteredEngine>> engines_;
};

// The engines that this program has, without any data: for documents and other descriptions of
// them.
const Registry& EnginesOfProgram();
// The migrations of the database that the stores of these engines need.
std::vector<storage::Migration> Schemas();
// The paths at which sys/mounts mounts nothing: those of built-in engines, and those that are kept
// for engines to come. Each ends in a slash.
std::vector<std::string> ReservedPaths();

}  // namespace coffer::api
