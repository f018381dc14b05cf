#pragma once

#include <string>
#include <utility>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::cli {

// A case of a file for `coffer policy test`. The policies that it names were decided about when the
// file was read; a case with an accessor is for the server.
struct PolicyCase {
  std::string name;
  std::string path;
  std::string operation;
  std::string accessor;
  std::vector<std::pair<std::string, std::string>> parameters;
  bool allow = true;    // what is expected
  std::string refusal;  // why the policies refuse it; empty: they do not
};

// Reads a file of blocks: `policy "NAME" { file = "FILE" }`, relative to the file itself, and
// `test "NAME" { policies = [...], path = "...", operation = "...", parameters = {...},
// expect = "allow" }`. kInvalid, with line and column, for anything else.
Result<std::vector<PolicyCase>> ReadPolicyCases(const std::string& file);

}  // namespace coffer::cli
