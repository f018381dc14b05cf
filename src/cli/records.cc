#include "cli/records.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace coffer::cli {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxOctets = 64ULL * 1024 * 1024;

const json* FirstArray(const json& document) {
  if (document.is_array()) return &document;
  if (!document.is_object()) return nullptr;
  for (const auto& [name, value] : document.items()) {
    if (value.is_array()) return &value;
  }
  return nullptr;
}

std::string Slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

Result<std::vector<std::string>> ReadRecords(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (error)
    return Fail(Code::kNotFound, "failed to read " + file.string() + ": " + error.message());
  if (size > kMaxOctets) return Fail(Code::kInvalid, file.string() + " is larger than 64 MiB");
  const std::string content = Slurp(file);
  std::vector<std::string> records;
  const json document = json::parse(content, nullptr, false);
  if (const json* const array = document.is_discarded() ? nullptr : FirstArray(document)) {
    for (const json& element : *array) records.push_back(element.dump());
  } else {
    std::istringstream lines(content);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) records.push_back(line);
    }
  }
  if (records.empty()) return Fail(Code::kInvalid, file.string() + " holds no records");
  return records;
}

Result<std::size_t> CountFound(const fs::path& directory, const std::vector<std::string>& needles) {
  // The needles are looked up by their first eight bytes, so that each file is walked once, however
  // many needles there are.
  constexpr std::size_t kPrefix = 8;
  std::unordered_map<std::string_view, std::vector<std::string_view>> by_prefix;
  for (const std::string& needle : needles) {
    if (needle.size() >= kPrefix) {
      by_prefix[std::string_view(needle).substr(0, kPrefix)].push_back(needle);
    }
  }
  std::unordered_set<std::string_view> found;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    const std::string content = Slurp(it->path());
    for (std::size_t i = 0; i + kPrefix <= content.size(); ++i) {
      const auto candidates = by_prefix.find(std::string_view(content).substr(i, kPrefix));
      if (candidates == by_prefix.end()) continue;
      for (const std::string_view needle : candidates->second) {
        if (std::string_view(content).substr(i, needle.size()) == needle) found.insert(needle);
      }
    }
  }
  if (error)
    return Fail(Code::kUnavailable,
                "failed to search " + directory.string() + ": " + error.message());
  return found.size();
}

}  // namespace coffer::cli
