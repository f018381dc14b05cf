#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::cli {

enum class Format { kTable, kJson, kYaml };

// The text for standard output of an answer's JSON: its data as a table, or the whole as JSON or
// YAML. kInvalid where the answer is no JSON.
Result<std::string> Render(std::string_view json, Format format);
// One value of the answer: a string as it is, or as JSON or YAML. As Vault's client has it, without
// a newline, and "request_id", "lease_id", "lease_duration", "renewable" and "data" are the
// envelope's. kInvalid where the answer is no JSON or lacks the field.
Result<std::string> RenderField(std::string_view json, Format format, const std::string& field);
// Rows below their heads, each column as wide as its widest cell. All rows have as many cells.
std::string Columns(const std::vector<std::string>& heads,
                    const std::vector<std::vector<std::string>>& rows);
// The sentences of {"errors": [...]}, or what the status means where there are none.
std::string ErrorText(long status, std::string_view json);

}  // namespace coffer::cli
