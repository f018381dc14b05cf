#include "audit/journal.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "fakes/faulty_files.h"
#include "fakes/temporary_directory.h"

namespace coffer::audit {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  Journal Open() {
    auto opened = Journal::Open(path_, files_);
    EXPECT_TRUE(opened) << opened.error().cause;
    return std::move(*opened);
  }
  // The next line of the chain, `octets` long or a little more.
  std::string Next(std::size_t octets = 300) {
    std::string line = R"({"time":"2026-11-28T12:00:00Z","filler":")";
    line += std::string(octets > 250 ? octets - 250 : 1, 'x') + "\"";
    head_ = SealLine(head_, line);
    return line;
  }
  std::string PutNext(Journal& journal, std::size_t octets = 300) {
    std::string line = Next(octets);
    EXPECT_TRUE(journal.Fits(line.size()));
    journal.Put(line);
    return line;
  }
  static std::string TakeAll(Journal& journal) {
    std::string all;
    while (!journal.Empty()) {
      all += journal.Next();
      journal.Took(journal.Next().size());
    }
    return all;
  }

  fakes::TemporaryDirectory directory_;
  const std::filesystem::path path_ = directory_.Path() / "journal";
  fakes::FaultyFiles files_;
  ChainPosition head_;
};

TEST_F(JournalTest, GivesBackInOrderWhatWasPutWhateverIsTakenAtATime) {
  Journal journal = Open();
  std::mt19937 random(1);
  std::string put;
  std::string taken;
  for (int i = 0; i < 3000; ++i) {
    const std::string line = Next(random() % 60'000);
    while (!journal.Fits(line.size())) {
      const std::string_view next = journal.Next();
      const std::size_t part = 1 + random() % next.size();
      taken += next.substr(0, part);
      journal.Took(part);
    }
    journal.Put(line);
    put += line;
  }
  taken += TakeAll(journal);
  EXPECT_GT(put.size(), 5 * Journal::kOctets) << "the ring's end was passed";
  EXPECT_EQ(taken, put);
}

TEST_F(JournalTest, HoldsAlmostItsSizeAndRefusesMore) {
  Journal journal = Open();
  std::size_t held = 0;
  for (std::string line = Next(100'000); journal.Fits(line.size()); line = Next(100'000)) {
    journal.Put(line);
    held += line.size();
  }
  EXPECT_GT(held, Journal::kOctets - 2 * 100'300);
  EXPECT_FALSE(journal.Fits(Journal::kOctets));
}

TEST_F(JournalTest, LeavesToTheNextProcessWhatNoFileGot) {
  std::string left;
  {
    Journal journal = Open();
    for (int i = 0; i < 3; ++i) PutNext(journal);
    TakeAll(journal);
  }
  const ChainPosition written = head_;
  {
    Journal journal = Open();
    for (int i = 0; i < 5; ++i) left += PutNext(journal);
  }
  Journal journal = Open();
  const Journal::Found found = journal.Recover(written, {});
  EXPECT_EQ(found.lines, 5U);
  EXPECT_EQ(found.at, head_);
  EXPECT_EQ(TakeAll(journal), left);
}

TEST_F(JournalTest, LeavesThemAcrossTheRingsEndToo) {
  std::string left;
  ChainPosition written;
  {
    Journal journal = Open();
    const std::string big = Next(Journal::kOctets - 5000);
    journal.Put(big);
    written = head_;
    left += PutNext(journal, 2000);
    journal.Took(big.size());
    for (int i = 0; i < 10; ++i) left += PutNext(journal, 2000);
  }
  Journal journal = Open();
  const Journal::Found found = journal.Recover(written, {});
  EXPECT_EQ(found.lines, 11U);
  EXPECT_EQ(TakeAll(journal), left);
}

TEST_F(JournalTest, HasTheRestOfALineThatWasCutShort) {
  std::string line;
  {
    Journal journal = Open();
    line = PutNext(journal);
    PutNext(journal);
  }
  const auto torn = std::string_view(line).substr(0, 100);
  Journal journal = Open();
  const Journal::Found found = journal.Recover({}, AsBytes(torn));
  EXPECT_EQ(found.lines, 2U);
  EXPECT_TRUE(found.continues_torn);
  EXPECT_TRUE(journal.Next().starts_with(std::string_view(line).substr(100)));
}

TEST_F(JournalTest, IsNotMadeToContinueWhatIsNotItsLine) {
  {
    Journal journal = Open();
    PutNext(journal);
  }
  Journal journal = Open();
  const Journal::Found found = journal.Recover({}, AsBytes(std::string_view("{\"time\":\"1999")));
  EXPECT_EQ(found.lines, 1U);
  EXPECT_FALSE(found.continues_torn);
}

TEST_F(JournalTest, BelievesNoLineThatDoesNotFollowInTheChain) {
  std::vector<std::string> lines;
  {
    Journal journal = Open();
    for (int i = 0; i < 4; ++i) lines.push_back(PutNext(journal));
  }
  {
    Journal journal = Open();
    EXPECT_EQ(journal.Recover({0, crypto::Sha256(AsBytes(std::string_view("x")))}, {}).lines, 0U)
        << "another chain";
    EXPECT_TRUE(journal.Empty());
    EXPECT_EQ(journal.Recover({7, head_.hash}, {}).lines, 0U);
  }
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(64 + lines[0].size() + lines[1].size() + 60));
  file << "y";
  file.close();
  Journal journal = Open();
  EXPECT_EQ(journal.Recover({}, {}).lines, 2U) << "the third was changed";
}

TEST_F(JournalTest, KnowsFromWhichLineOnNoFileGotThem) {
  std::string left;
  {
    Journal journal = Open();
    std::string written;
    for (int i = 0; i < 3; ++i) written += PutNext(journal);
    left = PutNext(journal);
    journal.Took(written.size() + 10);  // and the beginning of the fourth
  }
  Journal journal = Open();
  const Journal::Found found = journal.RecoverUntaken({});
  EXPECT_EQ(found.lines, 1U);
  EXPECT_EQ(found.at, head_);
  EXPECT_EQ(TakeAll(journal), left);
}

TEST_F(JournalTest, IsNotMisledByOlderLinesOfTheSameNumbers) {
  {
    Journal journal = Open();
    for (int i = 0; i < 30; ++i) PutNext(journal);
  }
  head_ = {};  // another chain, which overwrites the first few
  std::string left;
  {
    Journal journal = Open();
    for (int i = 0; i < 3; ++i) left += PutNext(journal, 400);
  }
  Journal journal = Open();
  EXPECT_EQ(journal.Recover({}, {}).lines, 3U);
  EXPECT_EQ(TakeAll(journal), left);
}

TEST_F(JournalTest, KeepsWhatIsPendingWhenItClearsTheRest) {
  for (const bool across_the_end : {false, true}) {
    std::filesystem::remove(path_);
    head_ = {};
    Journal journal = Open();
    std::string left;
    if (across_the_end) {
      const std::string big = PutNext(journal, Journal::kOctets - 5000);
      for (int i = 0; i < 2; ++i) left += PutNext(journal, 2000);
      journal.Took(big.size());
    }
    for (int i = 0; i < 5; ++i) left += PutNext(journal, 2000);
    journal.ClearRest();
    EXPECT_EQ(TakeAll(journal), left);
    journal.ClearRest();
    EXPECT_EQ(journal.Recover({}, {}).lines, 0U);
  }
}

TEST_F(JournalTest, BeginsALineAnewForAnotherFile) {
  Journal journal = Open();
  const std::string first = PutNext(journal);
  const std::string second = PutNext(journal);
  journal.Took(first.size() + 10);
  journal.Rewind();
  EXPECT_EQ(TakeAll(journal), second);
}

TEST_F(JournalTest, FindsNothingInWhatAnythingElseWroteThere) {
  std::mt19937 random(3);
  std::string noise(Journal::kOctets, '\0');
  for (std::size_t i = 0; i < noise.size(); i += 2) noise[i] = static_cast<char>(random());
  std::ofstream(path_, std::ios::binary) << noise;
  Journal journal = Open();
  EXPECT_EQ(journal.Recover({}, {}).lines, 0U);
  EXPECT_EQ(journal.RecoverUntaken({}).lines, 0U);
  EXPECT_TRUE(journal.Empty());
}

TEST_F(JournalTest, SaysWhyItCannotBeMade) {
  files_.map_error = ENOSPC;
  const auto refused = Journal::Open(path_, files_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_NE(refused.error().message.find(path_.string()), std::string::npos);
  files_.map_error = 0;
  std::filesystem::create_symlink(directory_.Path() / "elsewhere", path_);
  EXPECT_FALSE(Journal::Open(path_, files_)) << "follows no symbolic link";
}

}  // namespace
}  // namespace coffer::audit
