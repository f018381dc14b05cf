#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "api/constant_document.h"
#include "api/engine_type.h"

namespace coffer::api {

// {"help", "see_also", "openapi"} of each endpoint and engine, from their declarations: written all
// together when somebody asks for the first one. Thread-safe.
class HelpPages {
 public:
  explicit HelpPages(const Registry& engines) : engines_(engines) {}
  // The endpoint is one of the registry's.
  const ConstantDocument& Of(const Endpoint& endpoint) const;
  // An engine as a whole: its paths, each with its sentence.
  const ConstantDocument& Of(const RegisteredEngine& engine) const;

 private:
  void WriteAll() const;

  const Registry& engines_;
  mutable std::once_flag written_;
  mutable std::map<const Endpoint*, ConstantDocument> endpoints_;
  mutable std::map<const RegisteredEngine*, ConstantDocument> all_;
};

}  // namespace coffer::api
