#include "coffer/base/json_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

namespace coffer {
namespace {

std::string ReadBack(const std::string& text) {
  std::string out;
  AppendJsonString(text, out);
  EXPECT_TRUE(nlohmann::json::accept(out)) << out;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  EXPECT_TRUE(std::none_of(out.begin(), out.end(), control)) << out;
  return nlohmann::json::parse(out);
}

// The code looks at eight bytes at a time: the test tries each place in them, and the places before
// and after them.
TEST(JsonText, EveryOctetInEveryPlaceIsReadBack) {
  for (int octet = 0; octet < 256; ++octet) {
    for (std::size_t octets = 1; octets <= 17; ++octets) {
      for (std::size_t at = 0; at < octets; ++at) {
        std::string text(octets, 'x');
        text[at] = static_cast<char>(octet);
        const std::string expected =
            octet < 0x80 ? text : text.substr(0, at) + "\xef\xbf\xbd" + text.substr(at + 1);
        ASSERT_EQ(ReadBack(text), expected) << octet << " at " << at << " of " << octets;
      }
    }
  }
}

TEST(JsonText, OctetsBesideEachOtherAreEachReadBack) {
  for (int first = 0; first < 0x80; ++first) {
    for (int second = 0; second < 0x80; ++second) {
      const std::string text{'x', static_cast<char>(first),  static_cast<char>(second), 'y',
                             'z', static_cast<char>(second), static_cast<char>(first),  'x'};
      ASSERT_EQ(ReadBack(text), text) << first << " " << second;
    }
  }
}

TEST(JsonText, CharactersOfMoreOctetsStayAsTheyAre) {
  for (const std::string character : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x91"}) {
    for (std::size_t before = 0; before < 9; ++before) {
      const std::string text = std::string(before, 'x') + character + "yyyyyyyy";
      EXPECT_EQ(ReadBack(text), text);
    }
  }
}

}  // namespace
}  // namespace coffer
