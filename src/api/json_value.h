#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::api {

// A JSON value as a client sent it: numbers are exact, a fraction keeps its text.
class JsonValue {
 public:
  struct Member;
  struct Fraction {
    double value = 0;
    std::string text;
  };
  using Array = std::vector<JsonValue>;
  using Object = std::vector<Member>;
  using Data = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, Fraction,
                            std::string, Array, Object>;

  JsonValue();
  explicit JsonValue(Data data);
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(JsonValue&&) noexcept;
  JsonValue(const JsonValue&);
  JsonValue& operator=(const JsonValue&);
  ~JsonValue();

  bool IsNull() const { return std::holds_alternative<std::monostate>(data_); }
  template <typename T>
  const T* As() const {
    return std::get_if<T>(&data_);
  }
  template <typename T>
  T* As() {
    return std::get_if<T>(&data_);
  }
  // The member of an object, the last one where a name occurs twice (as Go's decoder has it), or
  // null; also null where this is no object.
  const JsonValue* Find(std::string_view name) const;
  // Overwrites every text in it.
  void Wipe() noexcept;

 private:
  Data data_;
};

struct JsonValue::Member {
  std::string name;
  JsonValue value;
};

// RFC 8259, strict, at most 500 levels and 200,000 values. kInvalid where the text is anything
// else; the message says what is wrong and at which byte, and quotes none of it. Blank text is an
// empty object.
Result<JsonValue> ParseJson(std::string_view text);

}  // namespace coffer::api
