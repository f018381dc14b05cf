#include "coffer/pkcs11/attributes.h"

#include <gtest/gtest.h>

#include <utility>

namespace coffer::pkcs11 {
namespace {

TEST(Attributes, KeepTheOrderOfTheCalls) {
  Attributes attributes;
  attributes.Add(AttributeType::kLabel, "key").Add(AttributeType::kToken, true);
  attributes.Add(AttributeType::kModifiable, false);
  ASSERT_EQ(attributes.size(), 3U);
  EXPECT_EQ(attributes.TypeAt(0), AttributeType::kLabel);
  EXPECT_EQ(AsText(attributes.ValueAt(0)), "key");
  EXPECT_EQ(attributes.TypeAt(2), AttributeType::kModifiable);
  EXPECT_TRUE(attributes.Contains(AttributeType::kToken));
  EXPECT_FALSE(attributes.Contains(AttributeType::kValue));
}

TEST(Attributes, EncodeABoolAsOneOctetAndANumberAsTheMachinesLong) {
  Attributes attributes;
  attributes.Add(AttributeType::kToken, true).Add(AttributeType::kPrivate, false);
  attributes.Add(AttributeType::kValueLen, 32UL).Add(AttributeType::kKeyType, KeyType::kAes);
  EXPECT_EQ(ToHex(attributes.ValueAt(0)), "01");
  EXPECT_EQ(ToHex(attributes.ValueAt(1)), "00");
  EXPECT_EQ(ToHex(attributes.ValueAt(2)), "2000000000000000");
  EXPECT_EQ(ToHex(attributes.ValueAt(3)), "1f00000000000000");
}

TEST(Attributes, OwnTheirValuesAfterTheOriginalChanges) {
  Bytes value{1, 2, 3};
  Attributes attributes;
  attributes.Add(AttributeType::kId, ByteView(value));
  value.assign({9, 9, 9});
  EXPECT_EQ(ToHex(attributes.ValueAt(0)), "010203");
}

TEST(Attributes, CopyANestedTemplateDeeply) {
  Attributes outer;
  {
    Attributes nested;
    nested.Add(AttributeType::kLabel, "inner");
    outer.AddTemplate(AttributeType::kUnwrapTemplate, nested);
    nested.Add(AttributeType::kToken, true);
  }
  for (int i = 0; i < 100; ++i) outer.Add(AttributeType::kId, "growth");
  const Attributes moved = std::move(outer);
  const Attributes* const nested = moved.NestedAt(0);
  ASSERT_NE(nested, nullptr);
  ASSERT_EQ(nested->size(), 1U);
  EXPECT_EQ(AsText(nested->ValueAt(0)), "inner");
  EXPECT_EQ(moved.NestedAt(1), nullptr);
  EXPECT_TRUE(moved.ValueAt(0).empty());
}

TEST(Attributes, AppendCopiesNestedTemplatesAndTakesItself) {
  Attributes nested;
  nested.Add(AttributeType::kToken, false);
  Attributes attributes;
  attributes.Add(AttributeType::kLabel, "a");
  attributes.AddTemplate(AttributeType::kWrapTemplate, nested);
  attributes.Append(attributes);
  ASSERT_EQ(attributes.size(), 4U);
  EXPECT_EQ(AsText(attributes.ValueAt(2)), "a");
  ASSERT_NE(attributes.NestedAt(3), nullptr);
  EXPECT_NE(attributes.NestedAt(3), attributes.NestedAt(1));
  EXPECT_EQ(attributes.NestedAt(3)->size(), 1U);
}

}  // namespace
}  // namespace coffer::pkcs11
