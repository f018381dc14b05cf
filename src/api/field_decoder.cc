#include "api/field_decoder.h"

#include <algorithm>
#include <cmath>

#include "api/bounded_text.h"
#include "coffer/base/ascii.h"
#include "coffer/base/parse.h"

namespace coffer::api {
namespace {

auto Expected(std::string_view what) {
  return Fail(Code::kInvalid, "expected " + std::string(what));
}

Result<std::int64_t> ToInt(const JsonValue& value, std::string_view what) {
  if (const auto* number = value.As<std::int64_t>()) return *number;
  if (const auto* flag = value.As<bool>()) return *flag ? 1 : 0;
  if (const auto* text = value.As<std::string>()) {
    if (text->empty()) return 0;
    if (auto number = ParseInt64(*text)) return *number;
  }
  if (const auto* fraction = value.As<JsonValue::Fraction>()) {
    // Beyond 2^53 a double no longer says which integer was meant.
    constexpr double kExact = 9007199254740992.0;
    if (std::trunc(fraction->value) == fraction->value && std::fabs(fraction->value) <= kExact) {
      return static_cast<std::int64_t>(fraction->value);
    }
  }
  return Expected(what);
}

Result<std::int64_t> ToSeconds(const JsonValue& value) {
  constexpr std::string_view kWhat = "a duration such as 3600, \"1h30m\" or \"7d\"";
  std::int64_t seconds = 0;
  const auto* text = value.As<std::string>();
  if (text != nullptr && !text->empty()) {
    auto parsed = ParseDurationSeconds(*text);
    if (!parsed) return Expected(kWhat);
    seconds = *parsed;
  } else if (value.As<bool>() != nullptr) {
    return Expected(kWhat);
  } else {
    COFFER_ASSIGN(seconds, ToInt(value, kWhat));
  }
  if (seconds < 0) return Fail(Code::kInvalid, "cannot provide negative value");
  return seconds;
}

Result<bool> ToBool(const JsonValue& value) {
  if (const auto* flag = value.As<bool>()) return *flag;
  if (const auto* number = value.As<std::int64_t>()) return *number != 0;
  if (const auto* text = value.As<std::string>()) {
    if (text->empty()) return false;
    if (auto flag = ParseBool(*text)) return *flag;
  }
  return Expected("a boolean");
}

Result<std::string> ToText(JsonValue value) {
  if (auto* text = value.As<std::string>()) return std::move(*text);
  if (const auto* number = value.As<std::int64_t>()) return std::to_string(*number);
  if (const auto* number = value.As<std::uint64_t>()) return std::to_string(*number);
  if (const auto* fraction = value.As<JsonValue::Fraction>()) return fraction->text;
  if (const auto* flag = value.As<bool>()) return std::string(*flag ? "1" : "0");
  return Expected("a string");
}

// Adds "k=v" to `object`.
Status AddPair(std::string_view text, JsonValue::Object& object) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return Expected("key=value pairs");
  object.push_back({std::string(text.substr(0, equals)),
                    JsonValue(JsonValue::Data(std::string(text.substr(equals + 1))))});
  return {};
}

Result<JsonValue> ToKeyValues(JsonValue value) {
  JsonValue::Object out;
  if (auto* object = value.As<JsonValue::Object>()) {
    for (JsonValue::Member& member : *object) {
      if (member.value.IsNull()) continue;
      COFFER_ASSIGN(std::string text, ToText(std::move(member.value)));
      out.push_back({std::move(member.name), JsonValue(JsonValue::Data(std::move(text)))});
    }
  } else if (const auto* array = value.As<JsonValue::Array>()) {
    for (const JsonValue& element : *array) {
      const auto* text = element.As<std::string>();
      if (text == nullptr) return Expected("key=value pairs");
      COFFER_TRY(AddPair(*text, out));
    }
  } else if (const auto* text = value.As<std::string>()) {
    if (!text->empty()) COFFER_TRY(AddPair(*text, out));
  } else {
    return Expected("key=value pairs");
  }
  return JsonValue(JsonValue::Data(std::move(out)));
}

Result<JsonValue> ToTexts(JsonValue value) {
  JsonValue::Array out;
  if (auto* array = value.As<JsonValue::Array>()) {
    for (JsonValue& element : *array) {
      COFFER_ASSIGN(auto text, ToText(std::move(element)));
      out.emplace_back(JsonValue::Data(std::move(text)));
    }
    return JsonValue(JsonValue::Data(std::move(out)));
  }
  COFFER_ASSIGN(const std::string all, ToText(std::move(value)));
  for (std::string_view rest = all; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (const std::string_view text = Trim(one, " "); !text.empty()) {
      out.emplace_back(JsonValue::Data(std::string(text)));
    }
  }
  return JsonValue(JsonValue::Data(std::move(out)));
}

template <typename T>
Result<JsonValue> Wrap(Result<T> value) {
  if (!value) return Fail(std::move(value).error());
  return JsonValue(JsonValue::Data(std::move(*value)));
}

}  // namespace

std::string_view FieldTypeName(FieldType type) {
  switch (type) {
    case FieldType::kText:
      return "string";
    case FieldType::kInt:
      return "int";
    case FieldType::kBool:
      return "bool";
    case FieldType::kSeconds:
      return "duration";
    case FieldType::kList:
      return "list";
    case FieldType::kTexts:
      return "comma-separated list";
    case FieldType::kMap:
      return "map";
    case FieldType::kKeyValues:
      return "key-value pairs";
  }
  return "";
}

Result<JsonValue> ConvertField(FieldType type, JsonValue value) {
  switch (type) {
    case FieldType::kText:
      return Wrap(ToText(std::move(value)));
    case FieldType::kInt:
      return Wrap(ToInt(value, "an integer"));
    case FieldType::kBool:
      return Wrap(ToBool(value));
    case FieldType::kSeconds:
      return Wrap(ToSeconds(value));
    case FieldType::kList:
      if (value.As<JsonValue::Array>() == nullptr) return Expected("a list");
      return Result<JsonValue>(std::move(value));
    case FieldType::kTexts:
      return ToTexts(std::move(value));
    case FieldType::kMap:
      if (value.As<JsonValue::Object>() == nullptr) return Expected("a map");
      return Result<JsonValue>(std::move(value));
    case FieldType::kKeyValues:
      return ToKeyValues(std::move(value));
  }
  return Fail(Code::kInternal, "", "field type without a conversion");
}

void NamesToTell::Add(std::string_view name) {
  constexpr std::size_t kMostNames = 16;
  constexpr std::size_t kMostOctets = 64;
  if (names_.size() == kMostNames) {
    more_ = more_ || !names_.contains(BoundedText(name, kMostOctets));
  } else {
    names_.insert(BoundedText(name, kMostOctets));
  }
}

std::string NamesToTell::Text() const {
  std::string out;
  for (const std::string& name : names_) out += (out.empty() ? "" : " ") + name;
  return "[" + out + (more_ ? " ...]" : "]");
}

Fields::~Fields() {
  for (auto& [spec, value] : values_) {
    if (spec->secret) value.Wipe();
  }
}

const FieldSpec* Fields::Spec(std::string_view name) const {
  for (const FieldSpec& spec : *specs_) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

Status Fields::Decode(JsonValue input) {
  if (input.IsNull()) return {};  // how Go's client writes that it has nothing to say
  // Parts of the input that are not kept (unknown names, values after one that fails) may be
  // secrets, too, so all of it is wiped.
  struct Wiper {
    JsonValue& value;
    ~Wiper() { value.Wipe(); }
  } const wiper{input};
  auto* object = input.As<JsonValue::Object>();
  if (object == nullptr) return Fail(Code::kInvalid, "failed to parse JSON input: not an object");
  values_.reserve(specs_->size());
  for (JsonValue::Member& member : *object) {
    const bool captured = std::any_of(captures_.begin(), captures_.end(), [&](const auto& capture) {
      return capture.first == member.name;
    });
    if (captured) {
      replaced_.Add(member.name);
      continue;
    }
    const FieldSpec* const spec = Spec(member.name);
    if (spec == nullptr) {
      unknown_.Add(member.name);
      continue;
    }
    if (member.value.IsNull()) {
      if (std::ranges::find(nulls_, spec) == nulls_.end()) nulls_.push_back(spec);
      continue;
    }
    auto value = ConvertField(spec->type, std::move(member.value));
    if (!value) {
      return Fail(Refusal::kFieldInvalid,
                  {.name = std::string(spec->name), .detail = std::move(value.error().message)});
    }
    Keep(*spec, std::move(*value));
  }
  return {};
}

// Keeps a value; the last one of a name counts.
void Fields::Keep(const FieldSpec& spec, JsonValue value) {
  const auto former =
      std::ranges::find(values_, &spec, [](const auto& kept) { return kept.first; });
  if (former == values_.end()) {
    values_.emplace_back(&spec, std::move(value));
    return;
  }
  if (spec.secret) former->second.Wipe();
  former->second = std::move(value);
}

void Fields::Capture(std::string_view name, std::string_view text) {
  captures_.emplace_back(name, text);
}

void Fields::MoveCapture(std::string_view name, std::string_view text) {
  for (auto& [captured, old] : captures_) {
    if (captured == name) old = text;
  }
}

const JsonValue* Fields::Find(std::string_view name) const {
  for (const auto& [spec, value] : values_) {
    if (spec->name == name) return &value;
  }
  return nullptr;
}

bool Fields::Given(std::string_view name) const {
  return Has(name) ||
         std::ranges::any_of(nulls_, [&](const FieldSpec* spec) { return spec->name == name; });
}

std::string_view Fields::Text(std::string_view name) const {
  for (const auto& [captured, text] : captures_) {
    if (captured == name) return text;
  }
  if (const JsonValue* value = Find(name)) {
    const auto* text = value->As<std::string>();
    return text == nullptr ? std::string_view() : std::string_view(*text);
  }
  const FieldSpec* const spec = Spec(name);
  return spec == nullptr ? std::string_view() : spec->default_text;
}

std::int64_t Fields::Int(std::string_view name) const {
  if (const JsonValue* value = Find(name)) {
    const auto* number = value->As<std::int64_t>();
    return number == nullptr ? 0 : *number;
  }
  const FieldSpec* const spec = Spec(name);
  return spec == nullptr ? 0 : ParseInt64(spec->default_text).value_or(0);
}

bool Fields::Bool(std::string_view name) const {
  if (const JsonValue* value = Find(name)) {
    const auto* flag = value->As<bool>();
    return flag != nullptr && *flag;
  }
  const FieldSpec* const spec = Spec(name);
  return spec != nullptr && spec->default_text == "true";
}

std::vector<std::string> Fields::Warnings() const {
  std::vector<std::string> warnings;
  if (!unknown_.Empty()) {
    warnings.push_back("Endpoint ignored these unrecognized parameters: " + unknown_.Text());
  }
  if (!replaced_.Empty()) {
    warnings.push_back(
        "Endpoint replaced the value of these parameters with the values captured from the "
        "endpoint's path: " +
        replaced_.Text());
  }
  return warnings;
}

}  // namespace coffer::api
