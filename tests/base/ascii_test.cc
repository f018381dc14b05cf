#include "coffer/base/ascii.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace coffer {
namespace {

TEST(Ascii, ComparesLettersWithoutCaseAndNothingElse) {
  EXPECT_TRUE(EqualsIgnoringCase("Transfer-Encoding", "tRANSFER-eNCODING"));
  EXPECT_TRUE(EqualsIgnoringCase("", ""));
  EXPECT_FALSE(EqualsIgnoringCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoringCase("[", "{"));
  EXPECT_FALSE(EqualsIgnoringCase("@", "`"));
  EXPECT_FALSE(EqualsIgnoringCase("\xc4", "\xe4")) << "Latin-1's letters are none";
}

TEST(Ascii, TrimsOnlyTheEndsAndOnlyWhatIsAsked) {
  EXPECT_EQ(Trim(" \ta \tb\t "), "a \tb");
  EXPECT_EQ(Trim(" \t "), "");
  EXPECT_EQ(Trim("a\n"), "a\n");
  EXPECT_EQ(Trim("\r\na\n", " \r\n"), "a");
}

TEST(Ascii, TrimsToAPartOfTheTextAlsoWhereNothingIsLeft) {
  const std::string_view text = " \t ";
  EXPECT_EQ(Trim(text).data(), text.data() + text.size());
}

TEST(Ascii, KnowsHexadecimalDigits) {
  EXPECT_EQ(HexDigit('0'), 0);
  EXPECT_EQ(HexDigit('9'), 9);
  EXPECT_EQ(HexDigit('a'), 10);
  EXPECT_EQ(HexDigit('F'), 15);
  for (const char c : {'g', 'G', '/', ':', '@', '`', ' ', '\0', '\xff'}) EXPECT_EQ(HexDigit(c), -1);
}

TEST(Ascii, DecodesEachEscapeOnce) {
  std::string out = "before";
  EXPECT_TRUE(PercentDecode("a%2Fb%2f+%2541", false, out));
  EXPECT_EQ(out, "a/b/+%41");
  EXPECT_TRUE(PercentDecode("a+%2B", true, out));
  EXPECT_EQ(out, "a +");
  EXPECT_TRUE(PercentDecode("%00", false, out));
  EXPECT_EQ(out, std::string(1, '\0'));
}

TEST(Ascii, RefusesBrokenEscapes) {
  std::string out;
  for (const char* const broken : {"%", "%4", "a%", "a%4", "%4g", "%g4", "%%41", "% 41", "%-1"}) {
    EXPECT_FALSE(PercentDecode(broken, false, out)) << broken;
  }
}

}  // namespace
}  // namespace coffer
