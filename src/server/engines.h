#pragma once

#include <memory>

#include "coffer/api/registry.h"
#include "coffer/api/system_engine.h"
#include "coffer/transit/engine.h"

namespace coffer::server {

// The engines and auth methods of a running server, each with what it works on.
class Engines {
 public:
  // All that is named outlives the engines.
  static Result<std::unique_ptr<Engines>> Make(const api::SystemParts& system,
                                               storage::Database& database,
                                               transit::Engine& transit);
  ~Engines();
  Engines(const Engines&) = delete;
  Engines& operator=(const Engines&) = delete;

  const api::Registry& All() const;

 private:
  struct Impl;
  explicit Engines(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::server
