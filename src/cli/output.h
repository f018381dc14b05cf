#pragma once

#include <string>
#include <string_view>

#include "coffer/base/result.h"

namespace coffer::cli {

enum class Format { kTable, kJson, kYaml };

// The text for standard output of an answer's JSON: its data as a table, or the whole as JSON or
// YAML; with `field`, that one value and nothing else. kInvalid where the answer is no JSON or
// lacks the field.
Result<std::string> Render(std::string_view json, Format format, std::string_view field);
// The sentences of {"errors": [...]}, or what the status means where there are none.
std::string ErrorText(long status, std::string_view json);

}  // namespace coffer::cli
