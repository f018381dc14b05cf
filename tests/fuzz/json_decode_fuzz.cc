// Fuzzes the way from a body's bytes to an endpoint's fields.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "api/field_decoder.h"
#include "api/json_value.h"
#include "api/json_writer.h"
#include "api/vault/transit/batch_items.h"

namespace coffer::api {
namespace {

constexpr std::size_t kMaxDepth = 500;

void Require(bool condition) {
  if (!condition) std::abort();
}

// Writes what was read; counts how deep it is.
std::size_t Write(const JsonValue& value, JsonWriter& json) {
  std::size_t deepest = 0;
  if (const auto* const array = value.As<JsonValue::Array>()) {
    json.BeginArray();
    for (const JsonValue& item : *array) deepest = std::max(deepest, Write(item, json));
    json.EndArray();
    return deepest + 1;
  }
  if (const auto* const object = value.As<JsonValue::Object>()) {
    json.BeginObject();
    for (const JsonValue::Member& member : *object) {
      json.Key(member.name);
      deepest = std::max(deepest, Write(member.value, json));
    }
    json.EndObject();
    return deepest + 1;
  }
  if (const auto* const text = value.As<std::string>()) {
    json.Text(*text);
  } else if (const auto* const number = value.As<std::int64_t>()) {
    json.Int(*number);
  } else if (const auto* const large = value.As<std::uint64_t>()) {
    json.Literal(std::to_string(*large));
  } else if (const auto* const fraction = value.As<JsonValue::Fraction>()) {
    json.Literal(fraction->text);
  } else if (const auto* const truth = value.As<bool>()) {
    json.Bool(*truth);
  } else {
    json.Null();
  }
  return 0;
}

std::string TextOf(const JsonValue& value) {
  std::string text;
  JsonWriter json(text);
  Require(Write(value, json) <= kMaxDepth);
  return text;
}

const std::vector<FieldSpec>& Specs() {
  static const std::vector<FieldSpec> kSpecs{
      {"a", FieldType::kText, "", ""},
      {"b", FieldType::kInt, "7", ""},
      {"c", FieldType::kBool, "true", ""},
      {"d", FieldType::kSeconds, "0", ""},
      {"e", FieldType::kMap, "", ""},
      {"f", FieldType::kKeyValues, "", ""},
      {"batch_input", FieldType::kList, "", "", true},
      {"plaintext", FieldType::kText, "", "", true},
      {"context", FieldType::kText, "", "", true},
      {"nonce", FieldType::kText, "", ""},
      {"associated_data", FieldType::kText, "", "", true},
      {"key_version", FieldType::kInt, "0", ""},
  };
  return kSpecs;
}

void Decode(JsonValue value) {
  Fields fields(Specs());
  if (!fields.Decode(std::move(value))) return;
  for (const FieldSpec& spec : Specs()) {
    if (spec.type == FieldType::kText) static_cast<void>(fields.Text(spec.name));
  }
  static_cast<void>(fields.Int("b"));
  static_cast<void>(fields.Bool("c"));
  Require(fields.Int("d") >= 0);
  static_cast<void>(fields.Warnings());
  const auto inputs = ReadCipherInputs(fields, "plaintext", "encrypt");
  if (!inputs) return;
  Require(!inputs->items.empty());
  for (const CipherInput& input : inputs->items) static_cast<void>(ToPlaintextItem(input));
}

}  // namespace
}  // namespace coffer::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coffer::api;
  auto parsed = ParseJson(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!parsed) return 0;
  // A value that is written and read back is the same.
  const std::string text = TextOf(*parsed);
  const auto again = ParseJson(text);
  Require(again.has_value() && TextOf(*again) == text);
  Decode(std::move(*parsed));
  return 0;
}
