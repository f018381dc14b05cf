#include "http/target.h"

#include <cstddef>
#include <cstdint>

#include "coffer/base/ascii.h"
#include "coffer/base/utf8.h"
#include "http/field_text.h"

namespace coffer::http {
namespace {

bool HasControl(std::string_view text) {
  for (const char c : text) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (octet < 0x20 || octet == 0x7f) return true;
  }
  return false;
}

bool HasDotSegment(std::string_view path) {
  std::size_t start = 0;
  while (start <= path.size()) {
    std::size_t end = path.find('/', start);
    if (end == std::string_view::npos) end = path.size();
    const std::string_view segment = path.substr(start, end - start);
    if (segment == "." || segment == "..") return true;
    start = end + 1;
  }
  return false;
}

void CollapseSlashes(std::string& path) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '/' && kept > 0 && path[kept - 1] == '/') continue;
    path[kept++] = path[i];
  }
  path.resize(kept);
}

bool IsPlainPath(std::string_view text) {
  return text.find('%') == std::string_view::npos && text.find("//") == std::string_view::npos &&
         text.find("/.") == std::string_view::npos;
}

// Takes the scheme and the authority off an absolute form, which every server must understand (RFC
// 9112, 3.2.2). The authority does not matter here, because there is only one server.
bool TakeAuthority(std::string_view& target) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = target.substr(0, colon);
  if (!EqualsIgnoringCase(scheme, "http") && !EqualsIgnoringCase(scheme, "https")) return false;
  target.remove_prefix(colon + 3);
  const std::string_view authority = target.substr(0, target.find_first_of("/?"));
  target.remove_prefix(authority.size());
  return IsHost(authority);
}

bool DecodeQuery(std::string_view text, std::vector<std::pair<std::string, std::string>>& query) {
  // The number of pairs is limited: no endpoint knows more than a dozen parameters, and each pair
  // takes much more room here than in the head.
  constexpr std::size_t kMostPairs = 256;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(pair.size() < text.size() ? pair.size() + 1 : text.size());
    if (pair.empty()) continue;
    if (query.size() == kMostPairs) return false;
    const std::size_t equals = pair.find('=');
    std::string name;
    std::string value;
    if (!PercentDecode(pair.substr(0, equals), true, name)) return false;
    if (equals != std::string_view::npos && !PercentDecode(pair.substr(equals + 1), true, value)) {
      return false;
    }
    if (HasControl(name) || HasControl(value) || !IsUtf8(name) || !IsUtf8(value)) return false;
    query.emplace_back(std::move(name), std::move(value));
  }
  return true;
}

}  // namespace

bool DecodeTarget(std::string_view target, std::string& path,
                  std::vector<std::pair<std::string, std::string>>& query) {
  query.clear();
  if (target.find('#') != std::string_view::npos) return false;
  if (!target.starts_with('/') && !TakeAuthority(target)) return false;
  const std::size_t question = target.find('?');
  std::string_view raw_path = target.substr(0, question);
  if (raw_path.empty()) raw_path = "/";
  if (IsPlainPath(raw_path)) {
    path.assign(raw_path);  // the head allows only visible ASCII
  } else {
    if (!PercentDecode(raw_path, false, path)) return false;
    if (HasControl(path) || !IsUtf8(path) || HasDotSegment(path)) return false;
    CollapseSlashes(path);
  }
  return question == std::string_view::npos || DecodeQuery(target.substr(question + 1), query);
}

}  // namespace coffer::http
