#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "audit/chain_builder.h"

// An attacker who holds the file cuts it, or replaces its end by lines whose hashes are right,
// without the token's key.
namespace coffer::audit {
namespace {

using Kind = Finding::Kind;

class ForgedTrails : public ::testing::Test {
 protected:
  ForgedTrails() {
    chain_.Start(0, 0);
    chain_.Sign();
    chain_.Entries(1000);
    chain_.Sign();
    genuine_ = chain_.Lines().size();
  }
  VerifyReport Check(const VerifyOptions& options = {}) {
    return ChainBuilder::Check(chain_.Lines(), chain_.Key(), options);
  }
  static std::uint64_t Count(const VerifyReport& report, Kind kind) {
    std::uint64_t count = 0;
    for (const Finding& finding : report.findings) count += finding.kind == kind ? 1 : 0;
    return count;
  }

  ChainBuilder chain_;
  std::size_t genuine_ = 0;
};

TEST_F(ForgedTrails, WhatADeviceLeavesAtItsEndIsProvenToTheLastLine) {
  const VerifyReport report = Check();
  EXPECT_TRUE(report.Intact());
  EXPECT_EQ(report.unproven, 0U);
}

TEST_F(ForgedTrails, AnEndWithoutACheckpointIsUnprovenAndNoFaultWithinThePromise) {
  for (std::uint64_t i = 0; i < kMostUnprovenEntries; ++i) {
    chain_.UnsignedEntry(i % 2 == 0 ? "2026-11-24T12:00:01.5Z" : "2026-11-24T12:00:02Z");
  }
  const VerifyReport report = Check();
  EXPECT_TRUE(report.Intact());
  EXPECT_EQ(report.unproven, kMostUnprovenEntries);
  EXPECT_NE(report.remarks.front().find("unproven"), std::string::npos);
}

TEST_F(ForgedTrails, AnEndReplacedByMoreEntriesThanCheckpointsAllowIsAFinding) {
  const std::uint64_t covered = Check().covered;
  for (std::uint64_t i = 0; i <= kMostUnprovenEntries; ++i) chain_.UnsignedEntry();
  const VerifyReport report = Check();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, Kind::kUnproven);
  EXPECT_EQ(report.findings[0].first, covered + 1);
  EXPECT_EQ(report.findings[0].last, report.last);
}

TEST_F(ForgedTrails, AnEndReplacedByEntriesOfALongerTimeIsAFinding) {
  for (int i = 0; i < 5; ++i) chain_.UnsignedEntry("2026-11-24T12:00:03.5Z");
  const VerifyReport report = Check();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, Kind::kUnproven);
}

TEST_F(ForgedTrails, AnEndReplacedByANewChainIsAFindingHoweverShort) {
  for (const std::uint64_t entries : {0U, 1U, 50U, 3000U}) {
    chain_.Lines().resize(genuine_ - 300);
    chain_.Restart();
    chain_.Start(0, 0);
    for (std::uint64_t i = 0; i < entries; ++i) chain_.UnsignedEntry();
    const VerifyReport report = Check();
    EXPECT_EQ(Count(report, Kind::kUnproven), 1U) << entries;
    EXPECT_EQ(report.findings.back().first, 1U);
  }
}

TEST_F(ForgedTrails, ANewChainDoesNotBorrowTheCheckpointsOfAnother) {
  const std::string borrowed = CheckpointLine(chain_.LastCheckpoint());
  for (const bool long_enough : {false, true}) {
    chain_.Lines().resize(genuine_ - 300);
    chain_.Restart();
    chain_.Start(0, 0);
    for (std::uint64_t i = 0; i < (long_enough ? 1500U : 10U); ++i) chain_.UnsignedEntry();
    chain_.Raw(borrowed);
    const VerifyReport report = Check();
    EXPECT_EQ(Count(report, Kind::kUnproven), 1U);
    EXPECT_GE(report.findings.size(), 2U) << "and the checkpoint is not of this chain";
    EXPECT_EQ(report.covered, 0U);
  }
}

TEST_F(ForgedTrails, ATrailThatIsForgedFromItsFirstEntryIsAFinding) {
  chain_.Lines().clear();
  chain_.Restart();
  chain_.Start(0, 0);
  chain_.UnsignedEntry();
  const VerifyReport report = Check();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, Kind::kUnproven);
}

TEST_F(ForgedTrails, AChainThatEndedUnprovenIsAFindingWhateverFollows) {
  for (std::uint64_t i = 0; i <= kMostUnprovenEntries; ++i) chain_.UnsignedEntry();
  chain_.Restart();
  chain_.Start(0, 0);
  chain_.Sign();
  const VerifyReport report = Check();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, Kind::kUnproven);
  EXPECT_GT(report.findings[0].first, 1000U);
  EXPECT_EQ(report.unproven, 0U) << "of the last chain";
}

TEST_F(ForgedTrails, APartOfASetIsMeasuredFromItsFirstEntry) {
  VerifyOptions options;
  options.partial = true;
  std::vector<std::string> part;
  for (std::uint64_t i = 0; i < 100; ++i) chain_.UnsignedEntry();
  part.assign(chain_.Lines().end() - 100, chain_.Lines().end());
  EXPECT_TRUE(ChainBuilder::Check(part, chain_.Key(), options).Intact());
  chain_.UnsignedEntry("2026-11-24T13:00:00Z");
  part.push_back(chain_.Lines().back());
  EXPECT_FALSE(ChainBuilder::Check(part, chain_.Key(), options).Intact());
}

TEST_F(ForgedTrails, ACutBehindACheckpointNeedsOneThatWasKeptElsewhere) {
  chain_.Lines().resize(genuine_ - 8);
  EXPECT_TRUE(Check().Intact()) << "within the promise: the docs say so";
  VerifyOptions options;
  options.anchor = chain_.LastCheckpoint();
  const VerifyReport report = Check(options);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, Kind::kMissing);
}

}  // namespace
}  // namespace coffer::audit
