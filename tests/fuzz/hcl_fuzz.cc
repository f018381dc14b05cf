#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "coffer/hcl/parse.h"

namespace {

using coffer::hcl::Value;

// Every string survives quoting; every member has a name and a place.
void Check(const Value& value) {
  if (value.kind == Value::Kind::kText) {
    const auto again = coffer::hcl::Parse("a = " + coffer::hcl::Quote(value.text));
    if (!again || again->members.at(0).value.text != value.text) std::abort();
  }
  for (const Value& item : value.items) Check(item);
  for (const auto& member : value.members) {
    if (member.name.empty() || member.at.line == 0) std::abort();
    Check(member.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = coffer::hcl::Parse(text);
  if (parsed) {
    Check(*parsed);
  } else if (!parsed.error().message.starts_with("line ")) {
    std::abort();
  }
  return 0;
}
