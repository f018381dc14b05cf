#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace coffer::cli {

// The document as YAML, in block style.
std::string ToYaml(const nlohmann::json& document);

}  // namespace coffer::cli
