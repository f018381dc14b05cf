#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/mounts/mount_table.h"
#include "coffer/storage/database.h"

namespace coffer::api {

// The ways in which an engine comes to its path.
enum class MountPlace {
  kBuiltIn,  // every server has it at one path, and nobody can change that
  kSecret,   // mounted at any path that is free, as often as is wanted
  kAuth,     // an auth method, mounted below auth/
};

struct EngineType;
class RegisteredEngine;

// What an engine's handlers work on: a reference whose type only its engine knows. A value; it
// outlives nothing.
class EngineState {
 public:
  EngineState() = default;
  template <typename State>
  static EngineState Of(State& state) {
    return EngineState(&state);
  }
  // `State` is the type that Of() was given; the engine's files see to it.
  template <typename State>
  State& As() const {
    return *static_cast<State*>(state_);
  }

 private:
  explicit EngineState(void* state) : state_(state) {}
  void* state_ = nullptr;
};

// An engine or auth method as a server has it: what it is, and what it works on.
struct Registration {
  const EngineType* type = nullptr;
  EngineState state;
};

// The engines and auth methods of a server; everything that differs between them is asked here.
// Immutable, so that any thread may read it.
class Registry {
 public:
  // kInternal, saying why, where two have one name or path, where two endpoints of one engine have
  // one pattern, or where a pattern is none.
  static Result<std::unique_ptr<const Registry>> Make(const std::vector<Registration>& engines);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // In the order of their registration.
  const std::vector<std::unique_ptr<const RegisteredEngine>>& Engines() const { return engines_; }
  // A secrets engine and an auth method may share a name. Null: there is none.
  const RegisteredEngine* Find(std::string_view name, MountPlace place) const;
  // The engine of a mount, by its type and its path. Null: this program does not have it.
  const RegisteredEngine* EngineOf(const mounts::Mount& mount) const;
  // The engine that is built in at a path that `path` begins with; null: there is none.
  const RegisteredEngine* BuiltInAt(std::string_view path) const;

 private:
  Registry();
  std::vector<std::unique_ptr<const RegisteredEngine>> engines_;
};

// The engines that this program has, without anything to work on: for what is told of them.
const Registry& EnginesOfProgram();
// What their stores need in the database.
std::vector<storage::Migration> Schemas();
// Where sys/mounts mounts nothing: the paths of built-in engines, and those kept for engines to
// come. Each ends in a slash.
std::vector<std::string> ReservedPaths();

}  // namespace coffer::api
