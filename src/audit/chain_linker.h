#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "coffer/audit/chain.h"
#include "coffer/audit/verifier.h"

namespace coffer::audit {

// The facts that a line states of itself, found without looking at any other.
struct LineFacts {
  bool sealed = false;  // it ends with a chain
  bool intact = false;  // and is what its hash says
  std::uint32_t octets = 0;
  ChainPosition at;
  crypto::Sha256Digest before{};
  std::int32_t special = -1;  // index among the chunk's checkpoints and starts
  std::int64_t second = 0;    // when it was written, as it says itself; 0: it says nothing
};

// The content of the rare lines that speak of other lines: a checkpoint signs them, a start tells
// what was found.
struct SpecialLine {
  std::optional<Checkpoint> checkpoint;
  bool signature_good = false;
  std::optional<StartFacts> start;
};

// Puts the lines of all files together, in order, and names what does not fit. One thread.
class ChainLinker {
 public:
  explicit ChainLinker(const VerifyOptions& options) : options_(options) {}

  struct Place {
    std::size_t file = 0;
    std::uint64_t line = 0;
  };
  void Take(const LineFacts& facts, const SpecialLine* special, const Place& place);
  // Takes the rest of the last file after its last newline.
  void TakeRest(std::size_t octets, const Place& place);
  VerifyReport Finish();

 private:
  struct Held {
    LineFacts facts;
    SpecialLine special;
    bool has_special = false;
    Place place;
  };
  struct Unreadable {
    std::uint64_t octets = 0;
    Place place;
    bool cut = false;  // after the last newline
  };
  struct Gap {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    Place after;
  };
  struct Moved {
    crypto::Sha256Digest hash{};
    std::size_t finding = 0;
    bool reported = false;  // its finding was kept
  };

  void TakeIntact(const Held& line);
  void TakeEdited(const LineFacts& facts, const Place& place);
  void Follow(const Held& line);
  void Advance(const LineFacts& facts, const Place& place);
  void SettleUnreadable(const Held& next);
  bool StartExplains(const Held& next);
  void SettleJump();
  void BeginAt(const Held& line);
  void TakeEarlier(const Held& line);
  bool TakeFromGap(const Held& line);
  void NewChain(const Held& line);
  void SettleGaps();
  void SettleRival();
  void SettleEnd();
  // Called at the end of a chain: reports the entries that no checkpoint covers.
  void SettleUnproven();
  void JudgeCheckpoint(const Held& line);
  // `before`: the last entry that was there.
  void JudgeStart(const Held& line, std::uint64_t before);
  void SkipMoved(std::uint64_t upto);
  void Remember(const ChainPosition& at);
  const crypto::Sha256Digest* Recall(std::uint64_t sequence) const;
  std::size_t Report(Finding::Kind kind, const Place& place, std::uint64_t first,
                     std::uint64_t last, std::string text);
  void JudgeAnchor();
  static std::string Entries(std::uint64_t first, std::uint64_t last);

  const VerifyOptions& options_;
  VerifyReport report_;
  bool begun_ = false;
  bool anchor_met_ = false;
  std::uint64_t next_ = 1;            // the number that should come
  crypto::Sha256Digest last_hash_{};  // of the entry before it
  crypto::Sha256Digest last_before_{};
  bool link_known_ = false;  // last_hash_ is to be relied on
  Place last_place_;
  std::int64_t last_second_ = 0;
  std::int64_t signed_second_ = 0;     // of the last checkpoint; before it, of the first entry
  std::uint64_t last_checkpoint_ = 0;  // the entry that holds it
  Place seen_place_;                   // of the line seen last, whatever it was
  std::vector<Unreadable> unreadable_;
  std::optional<Held> jump_;   // a line whose number is too high: the next one tells why
  std::optional<Held> rival_;  // a second line with the last number
  std::vector<Gap> gaps_;
  std::unordered_map<std::uint64_t, Moved> moved_;
  struct Recent {
    std::uint64_t sequence = 0;
    crypto::Sha256Digest hash{};
  };
  std::vector<Recent> recent_;
};

}  // namespace coffer::audit
