#pragma once

#include "coffer/api/registry.h"
#include "coffer/mounts/mount_table.h"
#include "coffer/transit/engine.h"

namespace coffer::api {

// What the transit engine works on. All of it outlives the registration.
struct TransitParts {
  transit::Engine& engine;
  mounts::MountTable& mounts;  // some settings are options of the mount
};

const EngineType& TransitEngineType();
Registration TransitEngine(TransitParts& parts);

}  // namespace coffer::api
