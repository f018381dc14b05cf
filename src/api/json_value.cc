#include "api/json_value.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstddef>
#include <exception>
#include <limits>
#include <utility>

#include "coffer/base/secret_bytes.h"
#include "coffer/base/wiping_reserve.h"

namespace coffer::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 500;
constexpr std::size_t kMaxValues = 200'000;

// Builds a JsonValue while the text is read, so that the limits hold before the memory is used. The
// names are those of Boost.JSON's handlers; texts arrive in parts where they hold escapes, as views
// of the input where they do not, so that the parser keeps no copy of a secret.
class Builder {
 public:
  // NOLINTBEGIN(readability-identifier-naming)
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
  // NOLINTEND(readability-identifier-naming)
  using Error = json::error_code;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error& error) { return Open(JsonValue::Object{}, error); }
  bool on_object_end(std::size_t, Error&) { return Close(); }
  bool on_array_begin(Error& error) { return Open(JsonValue::Array{}, error); }
  bool on_array_end(std::size_t, Error&) { return Close(); }
  bool on_key_part(json::string_view part, std::size_t, Error&) { return Collect(part); }
  bool on_key(json::string_view last, std::size_t, Error&) {
    open_.back()->As<JsonValue::Object>()->push_back({TakeText(last), JsonValue()});
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, Error&) { return Collect(part); }
  bool on_string(json::string_view last, std::size_t, Error& error) {
    return Add(TakeText(last), error);
  }
  bool on_number_part(json::string_view part, Error&) { return Collect(part); }
  bool on_int64(std::int64_t value, json::string_view, Error& error) {
    text_.clear();
    return Add(value, error);
  }
  bool on_uint64(std::uint64_t value, json::string_view, Error& error) {
    text_.clear();
    if (value <= static_cast<std::uint64_t>(INT64_MAX))
      return Add(static_cast<std::int64_t>(value), error);
    return Add(value, error);
  }
  bool on_double(double value, json::string_view last, Error& error) {
    return Add(JsonValue::Fraction{value, TakeText(last)}, error);
  }
  bool on_bool(bool value, Error& error) { return Add(value, error); }
  bool on_null(Error& error) { return Add(std::monostate{}, error); }
  bool on_comment_part(json::string_view, Error&) { return true; }
  bool on_comment(json::string_view, Error&) { return true; }

  JsonValue Take() { return std::move(root_); }
  void Wipe() {
    root_.Wipe();
    SecureWipe(text_.data(), text_.size());
  }

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
  bool Add(T&& value, Error& error) {
    JsonValue* const place = Place();
    if (place == nullptr) {
      error = json::error::array_too_large;
      return false;
    }
    *place = JsonValue(JsonValue::Data(std::forward<T>(value)));
    return true;
  }
  template <typename T>
  bool Open(T&& empty, Error& error) {
    JsonValue* const place = Place();
    if (place == nullptr) {
      error = json::error::array_too_large;
      return false;
    }
    *place = JsonValue(JsonValue::Data(std::forward<T>(empty)));
    open_.push_back(place);
    return true;
  }
  // Collects the parts of a text with escapes. It may be a secret, so the memory that it outgrows
  // is wiped.
  bool Collect(json::string_view part) {
    ReserveWiping(text_, text_.size() + part.size());
    text_.append(part.data(), part.size());
    return true;
  }
  std::string TakeText(json::string_view last) {
    if (text_.empty()) return {last.data(), last.size()};
    Collect(last);
    return std::exchange(text_, {});
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  JsonValue root_;
  std::string text_;  // the parts so far of the present name, string or number
  std::vector<JsonValue*> open_;
  std::size_t values_ = 0;
};

std::string_view WhatIsWrong(const json::error_code& code) {
  switch (static_cast<json::error>(code.value())) {
    case json::error::incomplete:
      return "unexpected end of input";
    case json::error::extra_data:
      return "unexpected text behind the value";
    case json::error::too_deep:
      return "more than 500 levels of nesting";
    case json::error::array_too_large:
      return "more than 200,000 values";
    case json::error::exponent_overflow:
      return "exponent out of range";
    case json::error::illegal_leading_surrogate:
    case json::error::illegal_trailing_surrogate:
    case json::error::expected_utf16_escape:
      return "escaped surrogate without its other half";
    case json::error::expected_hex_digit:
      return "escape without four hexadecimal digits";
    default:
      return "unexpected character";
  }
}

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
  json::parse_options strict;
  strict.max_depth = kMaxDepth;
  json::basic_parser<Builder> parser(strict);
  std::string why = "not enough memory";
  try {
    json::error_code error;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
    if (!error && used < text.size()) error = json::error::extra_data;
    if (!error) return parser.handler().Take();
    why = std::string(WhatIsWrong(error)) + " at byte " + std::to_string(used);
  } catch (const std::exception&) {
    // The memory is full: that is a fault of the input, too.
  }
  parser.handler().Wipe();
  return Fail(Code::kInvalid, "failed to parse JSON input: " + why);
}

}  // namespace coffer::api
