#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coffer::audit {

// Which entries an auditor wants to see; what is empty is not asked for.
struct QueryFilter {
  std::string since;     // RFC 3339 in UTC, or its beginning: "2026-11-24", "2026-11-24T12:00"
  std::string until;     // likewise; entries before it
  std::string path;      // of the request; a '*' at the end stands for anything
  std::string accessor;  // as it stands in the lines (sys/audit-hash tells)
  std::string key;       // the name of a transit key
  std::string operation;
  std::string type;            // request, response, system, checkpoint
  std::optional<bool> failed;  // whether there is an error
};

// Tells whether `text` can be a QueryFilter's time: a date, or a date and a time up to the minute
// or further.
bool IsQueryTime(std::string_view text);

// False too for a line that is no JSON object.
bool Matches(std::string_view line, const QueryFilter& filter);

}  // namespace coffer::audit
