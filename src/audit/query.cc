#include "coffer/audit/query.h"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <regex>

namespace coffer::audit {
namespace {

using nlohmann::json;

std::string TextAt(const json& line, const char* pointer) {
  const json::json_pointer place(pointer);
  if (!line.contains(place)) return {};
  const json& value = line.at(place);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool PathMatches(std::string_view path, std::string_view wanted) {
  if (!wanted.ends_with('*')) return path == wanted;
  return path.starts_with(wanted.substr(0, wanted.size() - 1));
}

// True if one of the segments after the mount is the key's name.
bool NamesKey(std::string_view path, std::string_view mount, std::string_view key) {
  if (!path.starts_with(mount)) return false;
  path.remove_prefix(mount.size());
  bool first = true;  // the operation
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    if (!first && segment == key) return true;
    first = false;
    path.remove_prefix(std::min(path.size(), segment.size() + 1));
  }
  return false;
}

std::string WithoutZone(std::string text) {
  if (text.ends_with('Z')) text.pop_back();
  return text;
}

bool Fits(const json& line, const QueryFilter& filter) {
  const std::string time = WithoutZone(TextAt(line, "/time"));
  if (!filter.since.empty() && time < WithoutZone(filter.since)) return false;
  if (!filter.until.empty() && time >= WithoutZone(filter.until)) return false;
  if (!filter.type.empty() && TextAt(line, "/type") != filter.type) return false;
  const std::string path = TextAt(line, "/request/path");
  if (!filter.path.empty() && !PathMatches(path, filter.path)) return false;
  if (!filter.operation.empty() && TextAt(line, "/request/operation") != filter.operation) {
    return false;
  }
  if (!filter.accessor.empty() && TextAt(line, "/auth/accessor") != filter.accessor) return false;
  if (!filter.key.empty()) {
    const bool transit = TextAt(line, "/request/mount_type") == "transit";
    const bool asked = transit && NamesKey(path, TextAt(line, "/request/mount_point"), filter.key);
    if (!asked && TextAt(line, "/system/key") != filter.key) return false;
  }
  return !filter.failed || *filter.failed == line.contains("error");
}

}  // namespace

bool IsQueryTime(std::string_view text) {
  static const std::regex form(
      R"([0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9](:([0-5][0-9]|60)(\.[0-9]{1,9})?)?Z?)?)?)?)");
  constexpr std::size_t kLongest = 30;
  return text.size() <= kLongest && std::regex_match(text.begin(), text.end(), form);
}

bool Matches(std::string_view line, const QueryFilter& filter) {
  try {
    const json parsed = json::parse(line, nullptr, false);
    return parsed.is_object() && Fits(parsed, filter);
  } catch (const std::exception&) {
    return false;  // a line that no server wrote
  }
}

}  // namespace coffer::audit
