#include "coffer/audit/verifier.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "audit/chain_builder.h"
#include "fakes/temporary_directory.h"

namespace coffer::audit {
namespace {

using Kind = Finding::Kind;

class VerifierTest : public ::testing::Test {
 protected:
  VerifierTest() : key_(chain_.Key()) {
    chain_.Entries(kLines);
    lines_ = chain_.Lines();
  }
  VerifyReport Check(const VerifyOptions& options = {}) {
    return ChainBuilder::Check(lines_, key_, options);
  }
  // One finding, and it is this one. `line` counts from 1.
  void ExpectOne(Kind kind, std::uint64_t line, std::uint64_t first, std::uint64_t last,
                 const VerifyOptions& options = {}) {
    const VerifyReport report = Check(options);
    std::string all;
    for (const Finding& finding : report.findings) {
      all += std::to_string(finding.line) + ": " + finding.text + "\n";
    }
    ASSERT_EQ(report.findings.size(), 1U) << all;
    EXPECT_EQ(report.findings[0].kind, kind) << all;
    EXPECT_EQ(report.findings[0].line, line) << all;
    EXPECT_EQ(report.findings[0].first, first) << all;
    EXPECT_EQ(report.findings[0].last, last) << all;
  }
  std::string& Line(std::size_t number) { return lines_[number - 1]; }

  static constexpr std::uint64_t kLines = 1000;
  ChainBuilder chain_;
  crypto::EcdsaP256Key key_;
  std::vector<std::string> lines_;
};

TEST_F(VerifierTest, FindsNothingInWhatWasNotTouched) {
  const VerifyReport report = Check();
  EXPECT_TRUE(report.Intact());
  EXPECT_EQ(report.lines, lines_.size());
  EXPECT_EQ(report.first, 1U);
  EXPECT_EQ(report.last, lines_.size());
  EXPECT_GE(report.checkpoints, 9U);
  EXPECT_EQ(report.covered, chain_.LastCheckpoint().at.sequence);
}

TEST_F(VerifierTest, TellsHowFarItIsThroughAllFiles) {
  const fakes::TemporaryDirectory folder;
  const std::vector files{folder.Path() / "a", folder.Path() / "b"};
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    std::ofstream(files[i < 500 ? 0 : 1], std::ios::app) << lines_[i] << '\n';
  }
  std::vector<std::uint64_t> done;
  VerifyOptions options;
  const std::uint64_t octets =
      std::filesystem::file_size(files[0]) + std::filesystem::file_size(files[1]);
  options.progress = [&](std::uint64_t so_far, std::uint64_t total) {
    EXPECT_EQ(total, octets);
    done.push_back(so_far);
  };
  ASSERT_TRUE(Verify(files, key_, options));
  EXPECT_EQ(done, (std::vector{std::uint64_t{std::filesystem::file_size(files[0])}, octets}));
}

TEST_F(VerifierTest, NamesAnEditedLine) {
  Line(500)[60] ^= 1;
  ExpectOne(Kind::kEdited, 500, 500, 500);
}

TEST_F(VerifierTest, NamesALineWhoseChainWasEdited) {
  for (std::size_t back = 1; back < 150; back += 4) {
    lines_ = chain_.Lines();
    std::string& line = Line(500);
    line[line.size() - back] ^= 1;
    ExpectOne(Kind::kEdited, 500, 500, 500);
  }
}

TEST_F(VerifierTest, NamesALineRewrittenTogetherWithItsHash) {
  Line(500) = Forge(Line(500), "xxxx", "yyyy");
  ExpectOne(Kind::kRewritten, 500, 500, 500);
}

TEST_F(VerifierTest, NamesRemovedEntries) {
  lines_.erase(lines_.begin() + 499);
  ExpectOne(Kind::kMissing, 499, 500, 500);
  lines_.erase(lines_.begin() + 499, lines_.begin() + 501);
  ExpectOne(Kind::kMissing, 499, 500, 502);
}

TEST_F(VerifierTest, NamesALineSwappedWithItsNeighbour) {
  std::swap(Line(500), Line(501));
  ExpectOne(Kind::kOutOfOrder, 500, 501, 501);
}

TEST_F(VerifierTest, NamesBothOfTwoLinesSwappedFarApart) {
  std::swap(Line(300), Line(700));
  const VerifyReport report = Check();
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(report.findings[0].kind, Kind::kOutOfOrder);
  EXPECT_EQ(report.findings[0].line, 300U);
  EXPECT_EQ(report.findings[0].first, 700U);
  EXPECT_EQ(report.findings[1].kind, Kind::kOutOfOrder);
  EXPECT_EQ(report.findings[1].line, 700U);
  EXPECT_EQ(report.findings[1].first, 300U);
}

TEST_F(VerifierTest, NamesALineMovedForwardsOrBack) {
  std::string line = Line(300);
  lines_.erase(lines_.begin() + 299);
  lines_.insert(lines_.begin() + 600, line);
  ExpectOne(Kind::kOutOfOrder, 601, 300, 300);
  lines_ = chain_.Lines();
  line = Line(600);
  lines_.erase(lines_.begin() + 599);
  lines_.insert(lines_.begin() + 299, line);
  ExpectOne(Kind::kOutOfOrder, 300, 600, 600);
}

TEST_F(VerifierTest, NamesInsertedLines) {
  lines_.insert(lines_.begin() + 500, "not an entry");
  ExpectOne(Kind::kInserted, 501, 0, 0);
  lines_ = chain_.Lines();
  lines_.insert(lines_.begin() + 500, Line(100));
  ExpectOne(Kind::kInserted, 501, 100, 100);
  lines_ = chain_.Lines();
  lines_.insert(lines_.begin() + 500, Line(800));
  ExpectOne(Kind::kInserted, 501, 800, 800);
  lines_ = chain_.Lines();
  lines_.insert(lines_.begin() + 500, Line(500));
  ExpectOne(Kind::kInserted, 501, 500, 500);
}

TEST_F(VerifierTest, NamesTheForgedOneOfTwoLinesWithOneNumber) {
  const std::string forged = Forge(Line(500), "xxxx", "yyyy");
  lines_.insert(lines_.begin() + 500, forged);
  ExpectOne(Kind::kInserted, 501, 500, 500);
  lines_ = chain_.Lines();
  lines_.insert(lines_.begin() + 499, forged);
  ExpectOne(Kind::kInserted, 500, 500, 500);
}

TEST_F(VerifierTest, NamesACutLine) {
  const fakes::TemporaryDirectory directory;
  const auto path = directory.Path() / "audit.log";
  std::ofstream out(path, std::ios::binary);
  for (const std::string& line : lines_) out << line << '\n';
  out << "{\"time\":\"2026";
  out.close();
  const auto report = Verify(std::vector{path}, key_, {});
  ASSERT_TRUE(report);
  ASSERT_EQ(report->findings.size(), 1U);
  EXPECT_EQ(report->findings[0].kind, Kind::kCut);
  EXPECT_EQ(report->findings[0].line, lines_.size() + 1);
}

TEST_F(VerifierTest, SeesATruncationOnlyWithACheckpointKeptElsewhere) {
  lines_.resize(600);
  EXPECT_TRUE(Check().Intact()) << "what is cut at the end cannot be seen: the docs say so";
  VerifyOptions options;
  options.anchor = chain_.LastCheckpoint();
  ExpectOne(Kind::kMissing, 600, 601, chain_.LastCheckpoint().at.sequence, options);
  lines_ = chain_.Lines();
  EXPECT_TRUE(Check(options).Intact());
  options.anchor->at.hash[0] ^= 1;
  const VerifyReport other = Check(options);
  ASSERT_EQ(other.findings.size(), 1U);
  EXPECT_EQ(other.findings[0].kind, Kind::kRewritten);
}

TEST_F(VerifierTest, ABeginningThatIsNotThereIsMissingUnlessTheFilesArePartOfASet) {
  lines_.erase(lines_.begin(), lines_.begin() + 250);
  ExpectOne(Kind::kMissing, 0, 1, 250);
  VerifyOptions options;
  options.partial = true;
  const VerifyReport report = Check(options);
  EXPECT_TRUE(report.Intact());
  EXPECT_EQ(report.first, 251U);
  EXPECT_FALSE(report.remarks.empty());
}

// An attacker without the token's key rewrites an entry and all hashes after it.
TEST_F(VerifierTest, PlacesAChangeWithAllHashesBehindItBetweenTwoCheckpoints) {
  const std::vector<std::string> before = lines_;
  ChainPosition head;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    std::string open = before[i].substr(0, before[i].find(R"(,"chain":{"seq":)"));
    if (i == 499) open.replace(open.find("xxxx"), 4, "yyyy");
    head = SealLine(head, open);
    open.pop_back();
    lines_[i] = open;
  }
  const VerifyReport report = Check();
  ASSERT_FALSE(report.findings.empty());
  const Finding& finding = report.findings[0];
  EXPECT_EQ(finding.kind, Kind::kRewritten);
  EXPECT_LE(finding.first, 500U);
  EXPECT_GE(finding.last, 500U);
  EXPECT_LE(finding.last - finding.first, 110U);
  EXPECT_LT(report.covered, 500U);
}

TEST_F(VerifierTest, RefusesCheckpointsOfAnotherKey) {
  const fakes::SoftwareSigner other;
  const auto key = crypto::EcdsaP256Key::FromDer(other.PublicKey());
  const VerifyReport report = ChainBuilder::Check(lines_, *key);
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0].kind, Kind::kSignature);
  EXPECT_EQ(report.covered, 0U);
}

TEST_F(VerifierTest, SaysWhatNoCheckpointCoversYet) {
  chain_.Entries(1050);
  lines_ = chain_.Lines();
  const VerifyReport report = Check();
  EXPECT_TRUE(report.Intact());
  EXPECT_LT(report.covered, report.last);
  EXPECT_NE(report.remarks.front().find("no checkpoint covers them yet"), std::string::npos);
}

TEST_F(VerifierTest, AStartExplainsWhatACrashLeftAndNothingElse) {
  const std::size_t before = lines_.size();
  const std::string torn = R"({"time":"2026-11-24T12:0)";
  chain_.Lines().push_back(torn);
  chain_.Start(0, torn.size());
  chain_.Sign();
  lines_ = chain_.Lines();
  EXPECT_TRUE(Check().Intact());
  lines_[before] += "more";
  EXPECT_FALSE(Check().Intact());
}

TEST_F(VerifierTest, AStartKnowsOfEntriesThatAreGone) {
  chain_.Start(chain_.Head().sequence + 20, 0);
  lines_ = chain_.Lines();
  const VerifyReport report = Check();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].kind, Kind::kMissing);
  EXPECT_EQ(report.findings[0].last - report.findings[0].first, 19U);
}

TEST_F(VerifierTest, ANewChainIsRemarkedAndMeasuredByWhatTheServerKnew) {
  const std::uint64_t last = chain_.Head().sequence;
  ChainBuilder again;
  chain_.Restart();
  chain_.Start(last, 0);
  chain_.Sign();
  chain_.Entries(50);
  lines_ = chain_.Lines();
  const VerifyReport report = Check();
  EXPECT_TRUE(report.Intact());
  EXPECT_NE(report.remarks.front().find("a new chain begins"), std::string::npos);
  chain_.Lines().erase(chain_.Lines().begin() + static_cast<std::ptrdiff_t>(last) - 5,
                       chain_.Lines().begin() + static_cast<std::ptrdiff_t>(last));
  lines_ = chain_.Lines();
  const VerifyReport cut = Check();
  ASSERT_EQ(cut.findings.size(), 1U);
  EXPECT_EQ(cut.findings[0].kind, Kind::kMissing);
  EXPECT_EQ(cut.findings[0].first, last - 4);
  EXPECT_EQ(cut.findings[0].last, last);
}

TEST_F(VerifierTest, GoesOnFromOneFileToTheNext) {
  const fakes::TemporaryDirectory directory;
  const std::vector<std::filesystem::path> files{directory.Path() / "a", directory.Path() / "b"};
  {
    std::ofstream a(files[0], std::ios::binary);
    std::ofstream b(files[1], std::ios::binary);
    for (std::size_t i = 0; i < lines_.size(); ++i) (i < 400 ? a : b) << lines_[i] << '\n';
  }
  const auto whole = Verify(files, key_, {});
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->Intact());
  EXPECT_EQ(whole->lines, lines_.size());
  const auto reversed = Verify(std::vector{files[1], files[0]}, key_, {});
  EXPECT_FALSE(reversed->Intact());
  const auto second =
      Verify(std::vector{files[1]}, key_, VerifyOptions{0, 1000, true, std::nullopt});
  EXPECT_TRUE(second->Intact());
  EXPECT_FALSE(Verify(std::vector{directory.Path() / "none"}, key_, {}));
  const auto head = LastCheckpointLine(files[1]);
  ASSERT_TRUE(head);
  Checkpoint checkpoint;
  ASSERT_TRUE(ReadCheckpoint(*head, checkpoint));
  EXPECT_EQ(checkpoint.at, chain_.LastCheckpoint().at);
}

TEST_F(VerifierTest, NamesEveryOneOfManyRandomDamages) {
  std::mt19937 random(20261124);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (int turn = 0; turn < 300; ++turn) {
    lines_ = chain_.Lines();
    const std::size_t at = 1 + below(800);
    const auto place = lines_.begin() + static_cast<std::ptrdiff_t>(at);
    std::uint64_t expected = at + 1;
    switch (turn % 4) {
      case 0:
        lines_[at][below(lines_[at].size())] ^= static_cast<char>(1 + below(127));
        break;
      case 1:
        lines_.erase(place);
        expected = at;
        break;
      case 2:
        std::swap(lines_[at], lines_[at + 1 + below(50)]);
        break;
      default:
        lines_.insert(place, below(2) == 0 ? "x" : lines_[below(lines_.size())]);
        if (lines_[at] == lines_[at + 1]) ++expected;
        break;
    }
    const VerifyReport report = Check();
    ASSERT_FALSE(report.Intact()) << turn;
    EXPECT_EQ(report.findings[0].line, expected) << turn << " " << report.findings[0].text;
  }
}

}  // namespace
}  // namespace coffer::audit
