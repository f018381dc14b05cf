#include "cli/key_values.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/vault_client.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

Error NoPair(const std::string& word, const std::string& why) {
  return {Code::kInvalid,
          "Failed to parse K=V data: invalid key/value pair \"" + word + "\": " + why,
          {}};
}

Result<std::pair<std::string, std::string>> SplitPair(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos) return Fail(NoPair(word, "format must be key=value"));
  return std::pair{word.substr(0, equals), word.substr(equals + 1)};
}

std::string FileOf(const std::string& word) { return word == "-" ? word : word.substr(1); }

bool IsFile(const std::string& word) { return word == "-" || word.starts_with('@'); }

}  // namespace

Result<std::string> ReadAll(const std::string& file) {
  const auto failed = [&](int why) {
    return Fail(Code::kNotFound, "failed to read " + (file == "-" ? "standard input" : file) +
                                     ": " + std::strerror(why));
  };
  std::FILE* const in = file == "-" ? stdin : std::fopen(file.c_str(), "rb");
  if (in == nullptr) return failed(errno);
  std::string content;
  char block[4096];
  errno = 0;
  for (std::size_t got = 0; (got = std::fread(block, 1, sizeof block, in)) > 0;)
    content.append(block, got);
  const int why = std::ferror(in) != 0 ? (errno == 0 ? EIO : errno) : 0;
  if (in != stdin) std::fclose(in);
  if (why != 0) return failed(why);
  return content;
}

Result<std::string> BodyOf(const std::vector<std::string>& words, std::size_t first) {
  json body = json::object();
  for (std::size_t i = first; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (IsFile(word)) {
      COFFER_ASSIGN(const std::string text, ReadAll(FileOf(word)));
      json whole = json::parse(text, nullptr, false);
      if (!whole.is_object()) return Fail(NoPair(word, "not a JSON object"));
      body.update(whole);
      continue;
    }
    COFFER_ASSIGN(auto pair, SplitPair(word));
    auto& [name, value] = pair;
    if (IsFile(value)) {
      COFFER_ASSIGN(value, ReadAll(FileOf(value)));
    } else if (value.starts_with("\\@")) {
      value.erase(0, 1);
    }
    json& member = body[name];
    if (member.is_null()) {
      member = std::move(value);
    } else {
      if (!member.is_array()) member = json::array({std::move(member)});
      member.push_back(std::move(value));
    }
  }
  return body.dump();
}

Result<std::string> QueryOf(const std::vector<std::string>& words, std::size_t first) {
  std::string query;
  for (std::size_t i = first; i < words.size(); ++i) {
    COFFER_ASSIGN(const auto pair, SplitPair(words[i]));
    query +=
        (query.empty() ? "?" : "&") + EscapeUrl(pair.first, "") + "=" + EscapeUrl(pair.second, "");
  }
  return query;
}

std::string PathOf(std::string path) {
  while (path.starts_with('/')) path.erase(0, 1);
  while (path.ends_with('/')) path.pop_back();
  return path;
}

std::string UnderScored(std::string_view flag) {
  std::string name(flag);
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

void AddPlain(const Invocation& call, std::initializer_list<std::string_view> flags, json& body) {
  for (const std::string_view flag : flags) {
    if (call.Has(flag)) body[UnderScored(flag)] = call.Get(flag);
  }
}

std::string MountPathOf(const Invocation& call, const std::string& type) {
  const std::string path = PathOf(call.Get("path"));
  return path.empty() ? type : path;
}

}  // namespace coffer::cli
