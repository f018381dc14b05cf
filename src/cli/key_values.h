#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/invocation.h"
#include "coffer/base/result.h"

namespace coffer::cli {

// A file's content, or standard input's for "-".
Result<std::string> ReadAll(const std::string& file);
// NAME=VALUE words, "@FILE" and "-" as a JSON object; a VALUE "@FILE" or "-" is read, "\@..." is
// "@...". A NAME that stands several times is a list.
Result<std::string> BodyOf(const std::vector<std::string>& words, std::size_t first);
// NAME=VALUE words as "?name=value&...", escaped.
Result<std::string> QueryOf(const std::vector<std::string>& words, std::size_t first);
// The path without slashes at its ends, as Vault's client sends it.
std::string PathOf(std::string path);
// A flag's name with underscores, as the API has it.
std::string UnderScored(std::string_view flag);
// Adds the flags that hold text to `body`, as members of the names that the API has for them.
void AddPlain(const Invocation& call, std::initializer_list<std::string_view> flags,
              nlohmann::json& body);
// The path at which something is enabled: that of -path, else the name of its type.
std::string MountPathOf(const Invocation& call, const std::string& type);

}  // namespace coffer::cli
