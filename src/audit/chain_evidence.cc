// The judgement of a chain by its checkpoints, its starts and the checkpoint kept elsewhere.

#include <algorithm>

#include "audit/chain_linker.h"

namespace coffer::audit {

void ChainLinker::JudgeCheckpoint(const Held& line) {
  if (!line.special.checkpoint) return;
  const Checkpoint& checkpoint = *line.special.checkpoint;
  const std::uint64_t signed_up_to = checkpoint.at.sequence;
  if (!line.special.signature_good) {
    Report(Finding::Kind::kSignature, line.place, next_, next_,
           "the checkpoint in entry " + std::to_string(next_) + " (key " + checkpoint.key_id +
               ") is not signed by the given key");
    return;
  }
  if (signed_up_to >= next_) {
    Report(Finding::Kind::kInserted, line.place, next_, next_,
           "the checkpoint in entry " + std::to_string(next_) + " signs entry " +
               std::to_string(signed_up_to) + ", which was not there yet: it is of another chain");
    return;
  }
  const crypto::Sha256Digest* const hash = Recall(signed_up_to);
  if (hash == nullptr) return;  // before the first file, or what it signs is damaged
  if (*hash != checkpoint.at.hash) {
    const std::uint64_t from = std::max(report_.covered, report_.first - 1) + 1;
    Report(Finding::Kind::kRewritten, line.place, from, signed_up_to,
           "one or more of " + Entries(from, signed_up_to) +
               " were rewritten together with their hashes: the token signed another hash");
    return;
  }
  ++report_.checkpoints;
  report_.covered = std::max(report_.covered, signed_up_to);
  last_checkpoint_ = line.facts.at.sequence;
  signed_second_ = line.facts.second;
}

void ChainLinker::JudgeStart(const Held& line, std::uint64_t before) {
  if (!line.special.start || line.special.start->known_sequence <= before) return;
  const std::uint64_t known = line.special.start->known_sequence;
  Report(Finding::Kind::kMissing, {line.place.file, line.place.line - 1}, before + 1, known,
         Entries(before + 1, known) +
             " are not there: the database knew of them when the server started here");
}

void ChainLinker::SettleUnproven() {
  if (!begun_) return;
  const std::uint64_t covered = std::max(report_.covered, report_.first - 1);
  // The last checkpoint proves its own line.
  const std::uint64_t own = last_checkpoint_ > covered ? 1 : 0;
  report_.unproven = report_.last > covered + own ? report_.last - covered - own : 0;
  if (report_.unproven == 0) return;
  const std::string which = Entries(covered + 1, report_.last);
  if (report_.first == 1 && report_.covered == 0) {
    Report(Finding::Kind::kUnproven, last_place_, 1, report_.last,
           which + " are unproven: no checkpoint signs the start of this chain");
    return;
  }
  const std::int64_t seconds = std::max<std::int64_t>(0, last_second_ - signed_second_);
  if (report_.unproven > kMostUnprovenEntries || seconds > kMostUnprovenSeconds) {
    Report(Finding::Kind::kUnproven, last_place_, covered + 1, report_.last,
           which +
               " are unproven: no checkpoint covers them, although the server has one signed "
               "every 1,000 entries and every second");
    return;
  }
  report_.remarks.push_back(which +
                            " are unproven, because no checkpoint covers them yet: whoever changed "
                            "them together with all hashes behind them could not be seen");
}

void ChainLinker::JudgeAnchor() {
  if (!options_.anchor) return;
  const Checkpoint& anchor = *options_.anchor;
  const std::uint64_t sequence = anchor.at.sequence;
  if (sequence > report_.last) {
    Report(Finding::Kind::kMissing, seen_place_, report_.last + 1, sequence,
           Entries(report_.last + 1, sequence) +
               " are missing at the end: the checkpoint kept elsewhere names them");
  } else if (!anchor_met_) {
    Report(Finding::Kind::kRewritten, seen_place_, sequence, sequence,
           "the chain does not hold the entry that the checkpoint kept elsewhere names: it was "
           "rewritten, or is another");
  }
}

}  // namespace coffer::audit
