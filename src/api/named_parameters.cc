#include "api/named_parameters.h"

#include <algorithm>
#include <string>
#include <utility>

namespace coffer::api {
namespace {

void AddPolicyValue(const JsonValue& value, std::vector<auth::RequestValue>& values) {
  if (value.IsNull()) {
    values.emplace_back(std::monostate());
  } else if (const auto* text = value.As<std::string>()) {
    values.emplace_back(std::string_view(*text));
  } else if (const auto* number = value.As<std::int64_t>()) {
    values.emplace_back(*number);
  } else if (const auto* flag = value.As<bool>()) {
    values.emplace_back(*flag);
  } else if (const auto* fraction = value.As<JsonValue::Fraction>()) {
    values.emplace_back(std::string_view(fraction->text));
  }
}

std::vector<auth::RequestValue> PolicyValuesOf(const JsonValue& value) {
  std::vector<auth::RequestValue> values;
  const auto* const array = value.As<JsonValue::Array>();
  if (array == nullptr) {
    AddPolicyValue(value, values);
    return values;
  }
  for (const JsonValue& element : *array) AddPolicyValue(element, values);
  // A policy cannot list such an element, so the whole list counts as having no values.
  if (values.size() != array->size()) values.clear();
  return values;
}

}  // namespace

NamedParameters::NamedParameters(const JsonValue& parameters, const std::vector<FieldSpec>& specs) {
  const auto* const object = parameters.As<JsonValue::Object>();
  if (object == nullptr) return;
  converted_.reserve(object->size());  // views into it must stay
  all_.reserve(object->size());
  for (const JsonValue::Member& member : *object) {
    const JsonValue* value = &member.value;
    const auto spec = std::ranges::find(specs, member.name, &FieldSpec::name);
    const bool as_it_is = spec == specs.end() || value->IsNull() ||
                          (spec->type == FieldType::kText && value->As<std::string>() != nullptr);
    if (!as_it_is) {
      // A value that cannot be converted is refused when the request is decoded.
      if (auto converted = ConvertField(spec->type, *value)) {
        value = &converted_.emplace_back(std::move(*converted));
      }
    }
    all_.push_back({member.name, PolicyValuesOf(*value)});
  }
}

NamedParameters::~NamedParameters() {
  for (JsonValue& value : converted_) value.Wipe();
}

}  // namespace coffer::api
