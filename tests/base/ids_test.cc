#include "coffer/base/ids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "fakes/counting_random.h"

namespace coffer {
namespace {

TEST(Id, CarriesVersionFourAndTheRfcVariant) {
  for (int first = 0; first < 256; ++first) {
    fakes::CountingRandom random(static_cast<std::uint8_t>(first));
    const Id id = Id::Generate(random);
    EXPECT_EQ(id.octets[6] >> 4, 4);
    EXPECT_EQ(id.octets[8] >> 6, 2);
  }
}

TEST(Id, TakesEveryOtherBitFromTheRandomSource) {
  fakes::CountingRandom random;
  EXPECT_EQ(Id::Generate(random).ToUuid(), "00010203-0405-4607-8809-0a0b0c0d0e0f");
  EXPECT_EQ(Id::Generate(random).ToUuid(), "10111213-1415-4617-9819-1a1b1c1d1e1f");
}

TEST(Id, ComesBackFromItsOwnSixteenOctetsOnly) {
  fakes::CountingRandom random;
  const Id id = Id::Generate(random);
  EXPECT_EQ(Id::FromBytes(id.View()), id);
  EXPECT_FALSE(Id::FromBytes({}));
  EXPECT_FALSE(Id::FromBytes(Bytes(15)));
  EXPECT_FALSE(Id::FromBytes(Bytes(17)));
}

TEST(Id, HashesDifferentIdsApart) {
  fakes::CountingRandom random;
  std::set<std::size_t> hashes;
  for (int i = 0; i < 16; ++i) hashes.insert(IdHash{}(Id::Generate(random)));
  EXPECT_EQ(hashes.size(), 16U);
}

TEST(RandomBase62, UsesEveryDigitEquallyOften) {
  // 256 bytes counted up: 248 of them are used, four times each digit.
  fakes::CountingRandom random;
  const std::string text = RandomBase62(random, 248);
  std::array<int, 128> seen{};
  for (const char c : text) ++seen[static_cast<std::size_t>(c)];
  for (const char c :
       std::string("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
    EXPECT_EQ(seen[static_cast<std::size_t>(c)], 4) << c;
  }
}

TEST(RandomBase62, HasExactlyTheLengthAskedFor) {
  fakes::CountingRandom random(240);
  for (const std::size_t length : {0U, 1U, 24U, 31U, 32U, 33U, 500U}) {
    EXPECT_EQ(RandomBase62(random, length).size(), length);
  }
}

TEST(ToHex, WritesTwoLowerCaseDigitsPerOctet) {
  EXPECT_EQ(ToHex(Bytes{0x00, 0x0f, 0xa0, 0xff}), "000fa0ff");
  EXPECT_EQ(ToHex({}), "");
}

}  // namespace
}  // namespace coffer
