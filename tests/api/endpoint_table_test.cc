// The table finds for a path what a scan of all patterns, in the order of their declaration, would
// find.

#include "api/endpoint_table.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "api/engine_type.h"
#include "coffer/keyring/key.h"

namespace coffer::api {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Status Nothing(const Call&, Reply&) { return {}; }

Endpoint WithPattern(std::string_view pattern, Verb verb = Verb::kRead) {
  return {pattern, "Nothing.", {}, {{verb, Capability::kRead, Nothing}}};
}

EndpointTable TableOf(const std::vector<std::string_view>& patterns) {
  std::vector<Endpoint> endpoints;
  for (const std::string_view pattern : patterns) endpoints.push_back(WithPattern(pattern));
  return EndpointTable::Make(std::move(endpoints), 1).value();
}

// "PATTERN name=text", or "none".
std::string Meaning(const EndpointTable& table, std::string_view path) {
  const EndpointTable::Match match = table.Find(path);
  if (match.endpoint == nullptr) return "none";
  std::string meaning(match.endpoint->pattern);
  for (const auto& [name, text] : match.captures) {
    meaning += " " + std::string(name) + "=" + std::string(text);
  }
  return meaning;
}

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> segments;
  while (true) {
    const std::size_t slash = path.find('/');
    segments.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

// Matches in the slow and plain way: segment against segment.
bool Fits(const std::string& pattern, const std::vector<std::string>& path, std::string& meaning) {
  const std::vector<std::string> wanted = Split(pattern);
  meaning = pattern;
  std::size_t at = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::size_t behind = wanted.size() - i - 1;
    if (at + 1 + behind > path.size()) return false;
    std::string text = path[at++];
    if (wanted[i].starts_with('*')) {
      while (at + behind < path.size()) text += "/" + path[at++];
      if (text.empty()) return false;
    } else if (wanted[i].starts_with(':')) {
      if (!keyring::KeyName::IsGeneric(text)) return false;
    } else if (wanted[i].starts_with('=')) {
      if (text.empty()) return false;
    } else if (wanted[i] != text) {
      return false;
    } else {
      continue;
    }
    meaning += " " + wanted[i].substr(1) + "=" + text;
  }
  return at == path.size();
}

std::string MeaningByScan(const EndpointTable& table, std::string path) {
  const bool slash = path.ends_with('/');
  if (slash) path.pop_back();
  std::string meaning;
  for (const Endpoint& endpoint : table.Endpoints()) {
    if (slash && !endpoint.slash_at_end) continue;
    if (Fits(std::string(endpoint.pattern), Split(path), meaning)) return meaning;
  }
  return "none";
}

TEST(EndpointTable, NamesThePartsOfAPath) {
  const EndpointTable table = TableOf({"keys", "keys/:name", "keys/:name/rotate",
                                       "export/=type/:name", "mounts/*path/tune", "mounts/*path"});
  EXPECT_EQ(Meaning(table, "keys"), "keys");
  EXPECT_EQ(Meaning(table, "keys/a"), "keys/:name name=a");
  EXPECT_EQ(Meaning(table, "keys/a/rotate"), "keys/:name/rotate name=a");
  EXPECT_EQ(Meaning(table, "keys/a/turn"), "none");
  EXPECT_EQ(Meaning(table, "keys/a b"), "none");
  EXPECT_EQ(Meaning(table, "export/a b/c"), "export/=type/:name type=a b name=c");
  EXPECT_EQ(Meaning(table, "mounts/a/b/tune"), "mounts/*path/tune path=a/b");
  EXPECT_EQ(Meaning(table, "mounts/tune"), "mounts/*path path=tune");
  EXPECT_EQ(Meaning(table, "mounts/a/b/"), "mounts/*path path=a/b");
  EXPECT_EQ(Meaning(table, "keys/a/"), "none");
  for (const char* const path : {"", "/", "//", "mounts", "mounts/", "export//a", "k"}) {
    EXPECT_EQ(Meaning(table, path), "none") << path;
  }
}

TEST(EndpointTable, PrefersWhatWasDeclaredFirst) {
  EXPECT_EQ(Meaning(TableOf({":any", "here"}), "here"), ":any any=here");
  EXPECT_EQ(Meaning(TableOf({"here", ":any"}), "here"), "here");
  EXPECT_EQ(Meaning(TableOf({"*all", "a/:b"}), "a/b"), "*all all=a/b");
  EXPECT_EQ(Meaning(TableOf({"a/:b/c", "a/=x/:y"}), "a/b/d"), "a/=x/:y x=b y=d");
}

TEST(EndpointTable, RefusesPatternsThatAreTwiceThereOrNone) {
  const auto refused = [](const std::vector<std::string_view>& patterns) {
    std::vector<Endpoint> endpoints;
    for (const std::string_view pattern : patterns) endpoints.push_back(WithPattern(pattern));
    return !EndpointTable::Make(std::move(endpoints), 1);
  };
  EXPECT_FALSE(refused({"a/:b", "a/=b", "a/*b"}));
  EXPECT_TRUE(refused({"a/:b", "c", "a/:b"}));
  EXPECT_TRUE(refused({"a/:b", "a/:c"}));
  EXPECT_TRUE(refused({"a/*b", "a/*c"}));
  EXPECT_TRUE(refused({"a//b"}));
  EXPECT_TRUE(refused({""}));
  EXPECT_TRUE(refused({"a/"}));
  EXPECT_TRUE(refused({"*a/:b"}));
  EXPECT_TRUE(refused({":a/:b/:c/:d/:e"}));
}

TEST(EndpointTable, FindsWhatAScanOfAllPatternsFinds) {
  std::mt19937 random(17);
  const auto below = [&](std::size_t bound) { return random() % bound; };
  std::size_t found = 0;
  for (const auto& engine : EnginesOfProgram().Engines()) {
    std::vector<std::string> words{"", "a", "a b", "tune", ".", "-", "1", "latest"};
    for (const Endpoint& endpoint : engine->Endpoints()) {
      for (const std::string& segment : Split(endpoint.pattern)) words.push_back(segment);
    }
    for (int i = 0; i < 5'000; ++i) {
      // The path is a pattern with some of its segments replaced, or a few words.
      const auto& endpoints = engine->Endpoints();
      std::vector<std::string> segments = Split(endpoints[below(endpoints.size())].pattern);
      if (below(4) == 0) segments.assign(1 + below(4), "");
      std::string path;
      for (std::string& segment : segments) {
        const bool capture = segment.find_first_of(":=*") == 0;
        if (segment.empty() || capture || below(8) == 0) segment = words[below(words.size())];
        path += (path.empty() ? "" : "/") + segment;
      }
      if (below(5) == 0) path += "/";
      const std::string meaning = Meaning(engine->Table(), path);
      ASSERT_EQ(meaning, MeaningByScan(engine->Table(), path)) << engine->Name() << " " << path;
      found += meaning == "none" ? 0 : 1;
    }
  }
  EXPECT_GT(found, 2'500U);
}

}  // namespace
}  // namespace coffer::api
