#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/target.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

bool HasControl(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

bool HasDotSegment(const std::string& path) {
  const std::string closed = path + "/";
  return closed.find("/./") != std::string::npos || closed.find("/../") != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A head holds visible ASCII only: other bytes are refused before.
  std::string target;
  for (std::size_t i = 0; i < size; ++i) target.push_back(static_cast<char>(0x21 + data[i] % 0x5e));
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  if (!coffer::http::DecodeTarget(target, path, query)) return 0;
  Require(path.starts_with('/') && path.size() <= size);
  Require(path.find("//") == std::string::npos && !HasControl(path) && !HasDotSegment(path));
  for (const auto& [name, value] : query) Require(!HasControl(name) && !HasControl(value));
  return 0;
}
