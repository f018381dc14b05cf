#pragma once

#include "coffer/api/registry.h"
#include "coffer/mounts/mount_table.h"
#include "coffer/transit/engine.h"

namespace coffer::api {

// The parts that the API of the transit engine needs. The program's wiring owns them, and they
// outlive the Registry in which TransitEngine(parts) is registered. Its handlers run on any thread,
// with the token instance of that thread, and answer errors to the client.
struct TransitParts {
  transit::Engine& engine;
  mounts::MountTable& mounts;  // some settings are options of the mount
};

const EngineType& TransitEngineType();
Registration TransitEngine(TransitParts& parts);

}  // namespace coffer::api
