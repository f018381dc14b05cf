#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coffer::audit {

// The conditions that an entry must meet to be shown to an auditor; an empty one is always met. A
// plain value: the caller owns it, any thread may use it. Matches() has no errors.
struct QueryFilter {
  std::string since;     // RFC 3339 in UTC, or its beginning: "2026-11-24", "2026-11-24T12:00"
  std::string until;     // written as `since`; only entries before it match
  std::string path;      // the request's path; a '*' at the end stands for anything
  std::string accessor;  // as it stands in the lines (sys/audit-hash tells)
  std::string key;       // the name of a transit key
  std::string operation;
  std::string type;            // request, response, system, checkpoint
  std::optional<bool> failed;  // true: only entries with an error; false: only those without
};

// True if `text` can be a time of a QueryFilter: a date, or a date and a time up to the minute or
// further.
bool IsQueryTime(std::string_view text);

// True if the line meets every condition; false also for a line that is no JSON object.
bool Matches(std::string_view line, const QueryFilter& filter);

}  // namespace coffer::audit
