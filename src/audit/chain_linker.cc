#include "audit/chain_linker.h"

#include <algorithm>
#include <utility>

namespace coffer::audit {
namespace {

constexpr std::size_t kRecent = 1UL << 17;  // a checkpoint signs an entry not far before it

constexpr crypto::Sha256Digest kNoHash{};

}  // namespace

std::string ChainLinker::Entries(std::uint64_t first, std::uint64_t last) {
  if (first == last) return "entry " + std::to_string(first);
  return "entries " + std::to_string(first) + " to " + std::to_string(last);
}

std::size_t ChainLinker::Report(Finding::Kind kind, const Place& place, std::uint64_t first,
                                std::uint64_t last, std::string text) {
  if (report_.findings.size() >= options_.max_findings) {
    ++report_.more_findings;
    return options_.max_findings;
  }
  report_.findings.push_back({kind, place.file, place.line, first, last, std::move(text)});
  return report_.findings.size() - 1;
}

void ChainLinker::Remember(const ChainPosition& at) {
  if (recent_.empty()) recent_.resize(kRecent);
  recent_[at.sequence % kRecent] = {at.sequence, at.hash};
  if (options_.anchor && at == options_.anchor->at) anchor_met_ = true;
}

const crypto::Sha256Digest* ChainLinker::Recall(std::uint64_t sequence) const {
  if (recent_.empty() || sequence == 0) return nullptr;
  const Recent& found = recent_[sequence % kRecent];
  return found.sequence == sequence ? &found.hash : nullptr;
}

void ChainLinker::Take(const LineFacts& facts, const SpecialLine* special, const Place& place) {
  ++report_.lines;
  report_.octets += facts.octets + 1;
  seen_place_ = place;
  if (facts.intact && special == nullptr && begun_ && !jump_ && !rival_ && unreadable_.empty() &&
      moved_.empty() && facts.at.sequence == next_ && link_known_ && facts.before == last_hash_) {
    Advance(facts, place);  // nearly every line
  } else if (facts.intact) {
    TakeIntact({facts, special == nullptr ? SpecialLine{} : *special, special != nullptr, place});
  } else if (facts.sealed) {
    TakeEdited(facts, place);
  } else {
    unreadable_.push_back({std::uint64_t{facts.octets} + 1, place, false});
  }
}

void ChainLinker::TakeRest(std::size_t octets, const Place& place) {
  ++report_.lines;
  report_.octets += octets;
  seen_place_ = place;
  unreadable_.push_back({octets, place, true});
}

// Takes a line that does not match its hash but still has its number.
void ChainLinker::TakeEdited(const LineFacts& facts, const Place& place) {
  SettleJump();
  const bool fits = begun_ && unreadable_.empty() && facts.at.sequence == next_ &&
                    (!link_known_ || facts.before == last_hash_);
  if (!fits) {
    unreadable_.push_back({std::uint64_t{facts.octets} + 1, place, false});
    return;
  }
  Report(Finding::Kind::kEdited, place, next_, next_,
         "entry " + std::to_string(next_) + " was edited: it is not what its hash says");
  last_before_ = last_hash_;
  link_known_ = false;  // which hash it had, the next one says
  last_place_ = place;
  SettleRival();
  ++next_;
}

// The line before had too high a number. Either the entries between are gone, or that line was
// moved there from a later place.
void ChainLinker::SettleJump() {
  if (!jump_) return;
  const Held line = std::move(*jump_);
  jump_.reset();
  gaps_.push_back({next_, line.facts.at.sequence - 1, last_place_});
  next_ = line.facts.at.sequence;
  link_known_ = false;
  Follow(line);
}

void ChainLinker::TakeIntact(const Held& line) {
  const std::uint64_t sequence = line.facts.at.sequence;
  if (!begun_) return BeginAt(line);
  if (jump_) {
    if (sequence > jump_->facts.at.sequence) {
      SettleJump();
    } else {
      const Held& moved = *jump_;
      const std::uint64_t number = moved.facts.at.sequence;
      const std::size_t finding =
          Report(Finding::Kind::kOutOfOrder, moved.place, number, number,
                 "entry " + std::to_string(number) + " stands out of order, before entry " +
                     std::to_string(next_));
      moved_[number] = {moved.facts.at.hash, finding, finding < options_.max_findings};
      Remember(moved.facts.at);
      jump_.reset();
    }
  }
  SettleUnreadable(line);
  SkipMoved(sequence);
  if (sequence == next_) {
    Follow(line);
  } else if (sequence > next_) {
    jump_ = line;
  } else {
    TakeEarlier(line);
  }
}

// Entries that stood too early are not missing here.
void ChainLinker::SkipMoved(std::uint64_t upto) {
  for (auto found = moved_.find(next_); next_ < upto && found != moved_.end();
       found = moved_.find(next_)) {
    last_hash_ = found->second.hash;
    link_known_ = true;
    moved_.erase(found);
    ++next_;
  }
}

void ChainLinker::BeginAt(const Held& line) {
  begun_ = true;
  const std::uint64_t sequence = line.facts.at.sequence;
  report_.first = sequence;
  if (!StartExplains(line)) {
    for (const Unreadable& bad : unreadable_) {
      Report(Finding::Kind::kInserted, bad.place, 0, 0, "this line is no entry");
    }
  }
  unreadable_.clear();
  if (sequence != 1) {
    const std::string before = Entries(1, sequence - 1);
    if (options_.partial) {
      report_.remarks.push_back("the files begin with entry " + std::to_string(sequence) +
                                ": nothing is known of " + before);
    } else {
      Report(Finding::Kind::kMissing, {line.place.file, 0}, 1, sequence - 1,
             before + " are not there: they stand in earlier files, or were cut off");
    }
  }
  next_ = sequence;
  link_known_ = sequence == 1;
  last_hash_ = kNoHash;
  Follow(line);
}

// Returns true, and remarks on it, where `next` is a start that found what could not be read.
bool ChainLinker::StartExplains(const Held& next) {
  if (unreadable_.empty() || !next.has_special || !next.special.start) return false;
  std::uint64_t octets = 0;
  for (const Unreadable& bad : unreadable_) octets += bad.octets;
  // The newline may have been written by the server itself.
  const std::uint64_t torn = next.special.start->torn_octets;
  if (octets != torn && octets != torn + 1) return false;
  report_.remarks.push_back(
      "line " + std::to_string(unreadable_.front().place.line) + ": " + std::to_string(torn) +
      " bytes are no entry; the server found them when it began and said so: a crash or a fault "
      "leaves such, and what was not yet on the disk is lost with it");
  return true;
}

// Settles what could not be read since the last entry: entries that were damaged beyond reading, or
// lines that do not belong there.
void ChainLinker::SettleUnreadable(const Held& next) {
  if (unreadable_.empty()) return;
  const bool explained = next.facts.at.sequence == next_ && StartExplains(next);
  std::vector<Unreadable> lines;
  lines.swap(unreadable_);
  if (explained) return;
  for (const Unreadable& bad : lines) {
    if (next.facts.at.sequence > next_) {
      Report(Finding::Kind::kEdited, bad.place, next_, next_,
             "entry " + std::to_string(next_) + " was edited: the line is no entry any more");
      ++next_;
      link_known_ = false;
    } else {
      Report(Finding::Kind::kInserted, bad.place, 0, 0, "this line is no entry of the chain");
    }
  }
}

// The line has the number that should come.
void ChainLinker::Follow(const Held& line) {
  const LineFacts& facts = line.facts;
  if (rival_ && facts.before == rival_->facts.at.hash) {
    // The chain goes on from the second of the two: the first is the one too many.
    std::swap(last_place_, rival_->place);
    last_hash_ = rival_->facts.at.hash;
    Remember(rival_->facts.at);
  }
  SettleRival();
  if (!link_known_ && next_ > 1) Remember({next_ - 1, facts.before});
  if (link_known_ && facts.before != last_hash_) {
    Report(Finding::Kind::kRewritten, last_place_, next_ - 1, next_ - 1,
           "entry " + std::to_string(next_ - 1) +
               " was rewritten together with its hash: the entry after it was chained to another");
    Remember({next_ - 1, facts.before});
  }
  if (const auto found = moved_.find(next_); found != moved_.end()) {
    if (found->second.reported && found->second.hash == facts.at.hash) {
      Finding& earlier = report_.findings[found->second.finding];
      earlier.kind = Finding::Kind::kInserted;
      earlier.text = "entry " + std::to_string(next_) + " stands here a second time";
    }
    moved_.erase(found);
  }
  if (line.has_special) {
    JudgeCheckpoint(line);
    JudgeStart(line, facts.at.sequence - 1);
  }
  Advance(facts, line.place);
}

void ChainLinker::Advance(const LineFacts& facts, const Place& place) {
  Remember(facts.at);
  last_before_ = facts.before;
  last_hash_ = facts.at.hash;
  link_known_ = true;
  last_place_ = place;
  if (facts.second != 0) last_second_ = facts.second;
  if (signed_second_ == 0) signed_second_ = last_second_;
  report_.last = facts.at.sequence;
  ++next_;
}

void ChainLinker::SettleRival() {
  if (!rival_) return;
  Report(Finding::Kind::kInserted, rival_->place, next_ - 1, next_ - 1,
         "entry " + std::to_string(next_ - 1) +
             " stands there twice: the chain goes on from the other line");
  rival_.reset();
}

// The line has a number that was there before.
void ChainLinker::TakeEarlier(const Held& line) {
  const LineFacts& facts = line.facts;
  const std::uint64_t sequence = facts.at.sequence;
  if (sequence == 1 && facts.before == kNoHash && facts.at.hash != last_hash_ && line.has_special &&
      line.special.start) {
    return NewChain(line);
  }
  if (sequence + 1 == next_ && facts.before == last_before_ && facts.at.hash != last_hash_ &&
      !rival_) {
    rival_ = line;
    return;
  }
  if (TakeFromGap(line)) return;
  Report(Finding::Kind::kInserted, line.place, sequence, sequence,
         "entry " + std::to_string(sequence) + " stands here a second time");
}

bool ChainLinker::TakeFromGap(const Held& line) {
  const std::uint64_t sequence = line.facts.at.sequence;
  const auto gap = std::find_if(gaps_.begin(), gaps_.end(), [&](const Gap& one) {
    return one.first <= sequence && sequence <= one.last;
  });
  if (gap == gaps_.end()) return false;
  Report(Finding::Kind::kOutOfOrder, line.place, sequence, sequence,
         "entry " + std::to_string(sequence) + " stands out of order, behind entry " +
             std::to_string(next_ - 1));
  Remember(line.facts.at);
  const Gap behind{sequence + 1, gap->last, gap->after};
  gap->last = sequence - 1;
  if (gap->last < gap->first) gaps_.erase(gap);
  if (behind.first <= behind.last) gaps_.push_back(behind);
  return true;
}

void ChainLinker::NewChain(const Held& line) {
  const std::uint64_t before = next_ - 1;
  SettleRival();
  SettleGaps();
  SettleUnproven();
  report_.remarks.push_back("line " + std::to_string(line.place.line) +
                            ": a new chain begins; the former one ends with entry " +
                            std::to_string(before) + ", signed up to entry " +
                            std::to_string(report_.covered) +
                            ": the server had lost its place, because the file was gone after a "
                            "crash or the device was made anew");
  JudgeStart(line, before);
  moved_.clear();
  recent_.clear();
  report_.first = 1;
  report_.covered = 0;
  last_checkpoint_ = 0;
  last_second_ = signed_second_ = 0;
  next_ = 1;
  last_hash_ = kNoHash;
  link_known_ = true;
  Held plain = line;
  plain.has_special = false;
  Follow(plain);
}

void ChainLinker::SettleGaps() {
  for (const Gap& gap : gaps_) {
    Report(Finding::Kind::kMissing, gap.after, gap.first, gap.last,
           Entries(gap.first, gap.last) + (gap.first == gap.last ? " is" : " are") +
               " missing after this line");
  }
  gaps_.clear();
}

// Settles what was still waiting for a line after it.
void ChainLinker::SettleEnd() {
  SettleJump();
  SettleRival();
  for (std::size_t i = 0; i < unreadable_.size(); ++i) {
    const Unreadable& bad = unreadable_[i];
    if (bad.cut) {
      Report(Finding::Kind::kCut, bad.place, next_, next_,
             "the last line is not whole: it was cut off, or a crash cut it short");
    } else if (!begun_) {
      Report(Finding::Kind::kInserted, bad.place, 0, 0, "this line is no entry");
    } else {
      Report(Finding::Kind::kEdited, bad.place, next_, next_,
             "entry " + std::to_string(next_) + " was edited: the line is no entry any more");
      ++next_;
    }
  }
  SettleGaps();
  SettleUnproven();
}

VerifyReport ChainLinker::Finish() {
  SettleEnd();
  JudgeAnchor();
  std::stable_sort(report_.findings.begin(), report_.findings.end(),
                   [](const Finding& a, const Finding& b) {
                     return std::pair(a.file, a.line) < std::pair(b.file, b.line);
                   });
  if (!options_.anchor) {
    report_.remarks.push_back(
        "entries that were cut off at the end cannot be seen without a checkpoint that was kept "
        "elsewhere (-anchor)");
  }
  return std::move(report_);
}

}  // namespace coffer::audit
