#include "coffer/base/error.h"

#include <gtest/gtest.h>

#include <set>
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

TEST(RefusalTest, AnErrorHasItsRefusalsCodeWordsAndArguments) {
  const Status refused = Fail(Refusal::kAboveLatestVersion,
                              {.purpose = Purpose::kSigning, .given = 4, .bound = 3}, "its cause");
  const Error& error = refused.error();
  EXPECT_EQ(error.code, Code::kInvalid);
  EXPECT_EQ(error.refusal, Refusal::kAboveLatestVersion);
  EXPECT_EQ(error.message, "version 4 for signing is above the latest version, 3");
  EXPECT_EQ(error.arguments.given, 4);
  EXPECT_EQ(error.cause, "its cause");
  EXPECT_EQ(LiteralOf(error), "") << "it may quote what was sent";
  EXPECT_EQ(Error(Refusal::kKeyNotFound).code, Code::kNotFound);
  EXPECT_EQ(Error(Code::kInvalid, "a failure").refusal, Refusal::kNone);
}

TEST(RefusalTest, WhatWasSentIsFilledInOnceAndAsItIs) {
  const RefusalArguments arguments{.given = 7, .name = "{given}{", .detail = "}"};
  EXPECT_EQ(FilledIn("{name} {given} {bound} {detail}", arguments), "{given}{ 7 0 }");
  EXPECT_EQ(FilledIn("no place", arguments), "no place");
  EXPECT_EQ(FilledIn("", arguments), "");
}

TEST(RefusalTest, NamesAreThoseOfNoOther) {
  std::set<std::string_view> names;
  for (int number = 0; number <= static_cast<int>(Refusal::kCertificateRequestUnreadable);
       ++number) {
    const RefusalInfo info = InfoOf(static_cast<Refusal>(number));
    const std::string_view name = info.name;
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_FALSE(name.empty()) << number;
    EXPECT_FALSE(info.text.Empty()) << name;
  }
}

}  // namespace
}  // namespace coffer
