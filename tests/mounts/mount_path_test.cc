#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "coffer/mounts/mount_table.h"

namespace coffer::mounts {
namespace {

TEST(MountPath, GetsItsTrailingSlashWhereItIsMissing) {
  EXPECT_EQ(MountPath::Parse("transit")->Text(), "transit/");
  EXPECT_EQ(MountPath::Parse("transit/")->Text(), "transit/");
  EXPECT_EQ(MountPath::Parse("team/a")->Text(), "team/a/");
  EXPECT_EQ(MountPath::Parse("t")->Text(), "t/");
  EXPECT_EQ(MountPath::Parse("caf\xc3\xa9 1")->Text(), "caf\xc3\xa9 1/");
}

TEST(MountPath, RefusesWhatIsNoPath) {
  for (const std::string_view text :
       {std::string_view(""), std::string_view("/"), std::string_view("//"),
        std::string_view("/transit"), std::string_view("a//b"), std::string_view("a//"),
        std::string_view("a\nb"), std::string_view("a\x7f"), std::string_view("a\0b", 3)}) {
    const auto path = MountPath::Parse(text);
    ASSERT_FALSE(path) << text;
    EXPECT_EQ(path.error().code, Code::kInvalid);
  }
}

TEST(MountPath, RefusesWhatMeansSomethingElseInAPolicyOrAUrl) {
  for (const std::string_view text :
       {".", "..", "../a", "a/..", "a/../b", "a/./b", "star*", "a/*/b", "plus+", "+/b", "q?x",
        "a%2fb", "a#b", " a", "a ", "a /"}) {
    const auto path = MountPath::Parse(text);
    ASSERT_FALSE(path) << text;
    EXPECT_TRUE(path.error().message.starts_with("invalid mount path: ")) << path.error().message;
  }
  EXPECT_TRUE(MountPath::Parse("a.b/..c/d.."));
}

TEST(MountPath, HoldsAtMost512OctetsWithItsSlash) {
  EXPECT_TRUE(MountPath::Parse(std::string(511, 'a')));
  EXPECT_FALSE(MountPath::Parse(std::string(512, 'a')));
  EXPECT_TRUE(MountPath::Parse(std::string(511, 'a') + "/"));
}

}  // namespace
}  // namespace coffer::mounts
