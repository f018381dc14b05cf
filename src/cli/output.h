#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::cli {

enum class Format { kTable, kJson, kYaml, kRaw, kPretty };

// Upper and lower case alike. kInvalid for another word.
Result<Format> ParseFormat(std::string_view text);

// The text for standard output of an answer: its data or token as a table, or the whole
// as JSON, YAML or as it came. Empty where a table has no rows. kInvalid where the answer is no
// JSON.
Result<std::string> Render(std::string_view answer, Format format);
// One value of the answer, without a newline. "request_id", "lease_id", "lease_duration",
// "renewable" and "data" are the envelope's; "token", "token_policies" and so on a login's.
// kInvalid where the answer is no JSON or lacks the field.
Result<std::string> RenderField(std::string_view answer, Format format, const std::string& field);
// A document that is no answer's envelope. kInvalid for kPretty and, since there is no other text
// than `document`, for kTable.
Result<std::string> RenderDocument(const nlohmann::json& document, Format format);
// The paragraph about the answer's warnings; empty where there are none.
std::string WarningsText(std::string_view answer);
// A value as a cell of a table, in the form in which Go prints it.
std::string CellOf(const nlohmann::json& value);
// A number of seconds in words: 5400 is "1h30m".
std::string DurationText(std::int64_t seconds);
// Rows below their heads, each column as wide as its widest cell; an empty cell is "n/a". All rows
// have as many cells.
std::string Columns(const std::vector<std::string>& heads,
                    const std::vector<std::vector<std::string>>& rows);

// A member; `otherwise` where it is absent or null, or there is no object.
nlohmann::json MemberOf(const nlohmann::json& object, const char* name,
                        const nlohmann::json& otherwise);

// The sentences of {"errors": [...]}, and of the items of a batch that failed.
std::vector<std::string> ErrorsOf(std::string_view answer);
// A refusal as it is shown: the request, its code and the server's sentences.
std::string RefusalText(std::string_view method, std::string_view url, long status,
                        std::string_view answer);

}  // namespace coffer::cli
