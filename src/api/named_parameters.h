#pragma once

#include <span>
#include <vector>

#include "api/field_decoder.h"
#include "api/json_value.h"
#include "coffer/auth/access_rules.h"

namespace coffer::api {

// The parameters of a request, as policies compare them. A value is converted to the type of the
// endpoint's field, so that "3" and 3 are equal. Null, a value that cannot be converted and a
// parameter that is no field stay as they were sent. `parameters` must outlive this object, whose
// views point into it and into converted copies; the destructor wipes the copies.
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
