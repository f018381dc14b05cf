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

// Converts `value` to the type as loosely as Vault does: "3" is an integer, too. The error says
// what was expected and quotes nothing.
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

// The decoded parameters of one request. Asking for a name that the endpoint did not declare is a
// defect.
class Fields {
 public:
  explicit Fields(const std::vector<FieldSpec>& specs) : specs_(&specs) {}
  ~Fields();
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  // Decodes the parameters in `input`. kInvalid "Field validation failed: error converting input
  // for field "X": ...".
  Status Decode(JsonValue input);
  // Adds a value that was captured from the path; it replaces one of the same name in the input.
  void Capture(std::string_view name, std::string_view text);
  // Tells that the path was moved to another buffer, where the value captured under this name is
  // now `text`.
  void MoveCapture(std::string_view name, std::string_view text);

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // True if the parameter was given, even as null: Vault takes null for an empty text.
  bool Given(std::string_view name) const;
  // Null if the parameter was not given, or given as null.
  const JsonValue* Find(std::string_view name) const;
  // These return the declared default if the parameter was not given.
  std::string_view Text(std::string_view name) const;
  std::int64_t Int(std::string_view name) const;  // kInt, kSeconds
  bool Bool(std::string_view name) const;

  // The warnings that the answer should carry.
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
