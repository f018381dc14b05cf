#pragma once

#include <span>
#include <vector>

#include "api/field_decoder.h"
#include "api/json_value.h"
#include "coffer/auth/access_rules.h"

namespace coffer::api {

// The parameters of a request for comparison with policies: each has the value that its endpoint
// will read, so that "3" and 3 are equal; a parameter without a field of the endpoint has the value
// that was sent.
// The views point into `parameters` and into copies, which are wiped.
class NamedParameters {
 public:
  NamedParameters(const JsonValue& parameters, const std::vector<FieldSpec>& specs);
  ~NamedParameters();
  NamedParameters(const NamedParameters&) = delete;
  NamedParameters& operator=(const NamedParameters&) = delete;

  std::span<const auth::Parameter> All() const { return all_; }

 private:
  std::vector<JsonValue> converted_;
  std::vector<auth::Parameter> all_;
};

}  // namespace coffer::api
