#include "coffer/base/utf8.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace coffer {
namespace {

std::string Encode(std::uint32_t point, int octets) {
  static constexpr std::uint8_t kLead[] = {0, 0, 0xc0, 0xe0, 0xf0};
  if (octets == 1) return {static_cast<char>(point)};
  std::string text(static_cast<std::size_t>(octets), '\0');
  for (int i = octets - 1; i > 0; --i, point >>= 6) {
    text[static_cast<std::size_t>(i)] = static_cast<char>(0x80 | (point & 0x3f));
  }
  text[0] = static_cast<char>(kLead[octets] | point);
  return text;
}

TEST(IsUtf8, TakesEveryScalarValueInItsShortestFormOnly) {
  for (std::uint32_t point = 0; point <= 0x10ffff; ++point) {
    const int shortest = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    for (int octets = shortest; octets <= 4; ++octets) {
      ASSERT_EQ(IsUtf8(Encode(point, octets)), octets == shortest && !surrogate)
          << point << " in " << octets << " octets";
    }
  }
}

TEST(AppendUtf8, WritesEachCharacterInItsShortestForm) {
  for (std::uint32_t point = 0; point <= 0x10ffff; ++point) {
    const int shortest = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    std::string text = "x";
    AppendUtf8(point, text);
    ASSERT_EQ(text, "x" + Encode(point, shortest)) << point;
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    ASSERT_EQ(Utf8Octets(text, 1), surrogate ? 0U : static_cast<std::size_t>(shortest)) << point;
  }
}

TEST(IsUtf8, RefusesWhatLiesAboveUnicode) {
  EXPECT_TRUE(IsUtf8("\xf4\x8f\xbf\xbf"));
  EXPECT_FALSE(IsUtf8("\xf4\x90\x80\x80"));
  for (int lead = 0xf5; lead <= 0xff; ++lead) {
    EXPECT_FALSE(IsUtf8(std::string{static_cast<char>(lead)} + "\x80\x80\x80")) << lead;
  }
}

TEST(IsUtf8, SeesACutOrStrayOctetAtEveryPlace) {
  for (const std::string whole : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x94\x91"}) {
    for (std::size_t before = 0; before < 20; ++before) {
      const std::string text = std::string(before, 'a') + whole;
      EXPECT_TRUE(IsUtf8(text));
      EXPECT_TRUE(IsUtf8(text + "z"));
      EXPECT_FALSE(IsUtf8(text + "\x80"));
      for (std::size_t cut = 1; cut < whole.size(); ++cut) {
        const std::string shorter = text.substr(0, text.size() - cut);
        EXPECT_FALSE(IsUtf8(shorter));
        EXPECT_FALSE(IsUtf8(shorter + "zzz"));
      }
    }
  }
  EXPECT_TRUE(IsUtf8(""));
}

}  // namespace
}  // namespace coffer
