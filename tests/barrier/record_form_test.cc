// The bytes of sealed records and of what their tags cover: they must not change.

#include "barrier/record_form.h"

#include <gtest/gtest.h>

namespace coffer::barrier {
namespace {

TEST(RecordForm, IsTheFormTheKeysVersionAndThePayload) {
  const Bytes payload(28, 0xab);
  const Bytes record = MakeRecord(258, payload);
  EXPECT_EQ(ToHex(record), "0100000102" + ToHex(payload));
  const auto read = ReadRecord(record);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, 258);
  EXPECT_EQ(ToHex(read->payload), ToHex(payload));
}

TEST(RecordForm, ReadsNothingThatItWouldNotWrite) {
  const Bytes record = MakeRecord(1, Bytes(28, 0xab));
  EXPECT_TRUE(ReadRecord(record));
  EXPECT_FALSE(ReadRecord({}));
  EXPECT_FALSE(ReadRecord(ByteView(record).first(record.size() - 1))) << "too short for a tag";
  Bytes other = record;
  other[0] = 2;
  EXPECT_FALSE(ReadRecord(other)) << "another form";
  other = record;
  other[4] = 0;
  EXPECT_FALSE(ReadRecord(other)) << "version 0";
  other = record;
  other[1] = 0x80;
  EXPECT_FALSE(ReadRecord(other)) << "a version that is no int";
}

TEST(RecordForm, TheTagCoversOwnerTableRowSchemaAndVersion) {
  const Bytes row{0x01, 0x02};
  const Bytes bound = BoundData("room-tokens", {.table = "t", .row = row, .schema = 3}, 258);
  EXPECT_EQ(ToHex(bound),
            "0000000f636f666665722d7265636f72642d31"  // coffer-record-1
            "0000000b726f6f6d2d746f6b656e73"          // room-tokens
            "0000000174"                              // t
            "000000020102"
            "00000003"
            "00000102");
}

TEST(RecordForm, NoTwoPlacesAreBoundByTheSameBytes) {
  const Bytes row = BoundData("a", {.table = "bc", .row = AsBytes("d")}, 1);
  EXPECT_NE(row, BoundData("ab", {.table = "c", .row = AsBytes("d")}, 1));
  EXPECT_NE(row, BoundData("a", {.table = "b", .row = AsBytes("cd")}, 1));
  EXPECT_NE(row, BoundData("a", {.table = "bc", .row = AsBytes("d"), .schema = 2}, 1));
  EXPECT_NE(row, BoundData("a", {.table = "bc", .row = AsBytes("d")}, 2));
}

}  // namespace
}  // namespace coffer::barrier
