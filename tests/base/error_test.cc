#include "coffer/base/error.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "coffer/base/result.h"

namespace coffer {
namespace {

std::string_view LiteralOf(const Error& error) { return error.Literal(); }

TEST(ErrorText, ALiteralIsKnownAsOne) {
  constexpr std::string_view kText = "a constant";
  EXPECT_EQ(LiteralOf(Error(Code::kInvalid, "a literal")), "a literal");
  EXPECT_EQ(LiteralOf(Error(Code::kInvalid, kText, "its cause")), kText);
  const Status failed = Fail(Code::kInvalid, "a literal");
  EXPECT_EQ(LiteralOf(failed.error()), "a literal");
  EXPECT_EQ(failed.error().message, "a literal");
}

TEST(ErrorText, ATextThatWasMadeIsNone) {
  const std::string sent = "sent";
  EXPECT_EQ(LiteralOf(Error(Code::kInvalid, "unknown " + sent)), "");
  EXPECT_EQ(LiteralOf(Error(Code::kInvalid, sent)), "");
  const Status failed = Fail(Code::kInvalid, std::string("a literal"));
  EXPECT_EQ(LiteralOf(failed.error()), "");
  EXPECT_EQ(LiteralOf(Error()), "");
}

TEST(ErrorText, ALiteralThatWasChangedIsNoneAnyMore) {
  Error error(Code::kInvalid, "a literal");
  error.message += ": sent";
  EXPECT_EQ(LiteralOf(error), "");
  Error other(Code::kInvalid, "a literal");
  other.message = "sent";
  EXPECT_EQ(LiteralOf(other), "");
}

}  // namespace
}  // namespace coffer
