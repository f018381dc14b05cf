#include "json_value.h"

#include <cstddef>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "coffer/base/secret_bytes.h"

namespace coffer::api {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxValues = 1'000'000;

// Builds a JsonValue while the text is read, so that the limits hold before the memory is used.
// Names are nlohmann's SAX interface.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Add(std::monostate{}); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(std::int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value <= static_cast<std::uint64_t>(INT64_MAX))
      return Add(static_cast<std::int64_t>(value));
    return Add(std::uint64_t{value});
  }
  bool number_float(number_float_t value, const string_t& text) override {
    return Add(JsonValue::Fraction{value, text});
  }
  bool string(string_t& text) override { return Add(std::move(text)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(JsonValue::Object{}); }
  bool key(string_t& name) override {
    open_.back()->As<JsonValue::Object>()->push_back({std::move(name), JsonValue()});
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(JsonValue::Array{}); }
  bool end_array() override { return Close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

  JsonValue Take() { return std::move(root_); }
  void Wipe() { root_.Wipe(); }

 private:
  // The place of the next value. A parent's vector grows only while no child of it is open, so the
  // pointers on the stack stay valid.
  JsonValue* Place() {
    if (++values_ > kMaxValues) return nullptr;
    if (open_.empty()) return &root_;
    if (auto* array = open_.back()->As<JsonValue::Array>()) return &array->emplace_back();
    return &open_.back()->As<JsonValue::Object>()->back().value;
  }
  template <typename T>
  bool Add(T&& value) {
    JsonValue* const place = Place();
    if (place == nullptr) return false;
    *place = JsonValue(JsonValue::Data(std::forward<T>(value)));
    return true;
  }
  template <typename T>
  bool Open(T&& empty) {
    if (open_.size() == kMaxDepth) return false;
    JsonValue* const place = Place();
    if (place == nullptr) return false;
    *place = JsonValue(JsonValue::Data(std::forward<T>(empty)));
    open_.push_back(place);
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  JsonValue root_;
  std::vector<JsonValue*> open_;
  std::size_t values_ = 0;
};

}  // namespace

JsonValue::JsonValue() = default;
JsonValue::JsonValue(Data data) : data_(std::move(data)) {}
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;
JsonValue::JsonValue(const JsonValue&) = default;
JsonValue& JsonValue::operator=(const JsonValue&) = default;
JsonValue::~JsonValue() = default;

const JsonValue* JsonValue::Find(std::string_view name) const {
  const auto* object = As<Object>();
  if (object == nullptr) return nullptr;
  for (auto member = object->rbegin(); member != object->rend(); ++member) {
    if (member->name == name) return &member->value;
  }
  return nullptr;
}

void JsonValue::Wipe() noexcept {
  if (auto* text = As<std::string>()) {
    SecureWipe(text->data(), text->size());
  } else if (auto* array = As<Array>()) {
    for (JsonValue& element : *array) element.Wipe();
  } else if (auto* object = As<Object>()) {
    for (Member& member : *object) member.value.Wipe();
  }
}

Result<JsonValue> ParseJson(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return JsonValue(JsonValue::Object{});
  }
  Builder builder;
  try {
    if (nlohmann::json::sax_parse(text, &builder)) return builder.Take();
  } catch (const std::exception&) {
    // Out of memory or a number beyond a double: the caller's input either way.
  }
  builder.Wipe();
  return Fail(Code::kInvalid, "failed to parse JSON input");
}

}  // namespace coffer::api
