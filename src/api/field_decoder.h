#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_value.h"
#include "coffer/base/result.h"

namespace coffer::api {

enum class FieldType {
  kText,       // also from a number or a boolean
  kInt,        // 3, "3", 3.0
  kBool,       // true, "true", 1
  kSeconds,    // 3600, "3600", "1h30m", "7d"; not negative
  kList,       // a JSON array
  kTexts,      // an array of texts, or "a,b"
  kMap,        // a JSON object
  kKeyValues,  // an object, ["k=v"] or "k=v"
};

std::string_view FieldTypeName(FieldType type);

// A parameter of an endpoint, declared once.
struct FieldSpec {
  std::string_view name;
  FieldType type = FieldType::kText;
  std::string_view default_text;
  std::string_view help;
  bool secret = false;  // wiped after the request; never shown
  bool plain = false;   // the audit trail shows it as it is, where any other text is hashed
};

// `value` as its type has it, weakly typed (vault-api 0.1). The message says what was expected and
// quotes nothing.
Result<JsonValue> ConvertField(FieldType type, JsonValue value);

// Names of parameters for a warning: the first few, each cut where it is long.
class NamesToTell {
 public:
  void Add(std::string_view name);
  bool Empty() const { return names_.empty(); }
  std::string Text() const;  // "[alpha zeta]", "[alpha zeta ...]"

 private:
  std::set<std::string> names_;
  bool more_ = false;
};

// The decoded parameters of one request. A name that the endpoint did not declare is a defect.
class Fields {
 public:
  explicit Fields(const std::vector<FieldSpec>& specs) : specs_(&specs) {}
  ~Fields();
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  // Takes over the parameters of `input`: kInvalid "Field validation failed: error converting input
  // for field "X": ...".
  Status Decode(JsonValue input);
  // A value out of the path; stands above one of the same name in the input.
  void Capture(std::string_view name, std::string_view text);
  // The path is in another buffer now: what was captured under this name is there.
  void MoveCapture(std::string_view name, std::string_view text);

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // As Has(), and where it was given as null: the reference takes that for an empty text.
  bool Given(std::string_view name) const;
  // Null where the parameter was not given, or given as null.
  const JsonValue* Find(std::string_view name) const;
  // These fall back on the declared default.
  std::string_view Text(std::string_view name) const;
  std::int64_t Int(std::string_view name) const;  // kInt, kSeconds
  bool Bool(std::string_view name) const;

  // What the answer should warn of.
  std::vector<std::string> Warnings() const;

 private:
  const FieldSpec* Spec(std::string_view name) const;
  void Keep(const FieldSpec& spec, JsonValue value);
  const std::vector<FieldSpec>* specs_;
  std::vector<std::pair<std::string_view, std::string_view>> captures_;
  std::vector<std::pair<const FieldSpec*, JsonValue>> values_;
  std::vector<const FieldSpec*> nulls_;
  NamesToTell unknown_;
  NamesToTell replaced_;
};

}  // namespace coffer::api
