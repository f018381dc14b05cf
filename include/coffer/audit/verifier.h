#pragma once

// The check of audit files: has anything been changed, removed or inserted since it was written?
// The console commands use it; it needs only the files and the public key, no server and no token.
// The caller owns everything; Verify() makes threads of its own and ends them before it returns.
// Damage is a Finding in the report, not an error; errors are kInvalid for a file that cannot be
// read and kNotFound.
// Example: `auto report = Verify(files, key, {}); if (report && !report->Intact()) ...`

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "coffer/audit/chain.h"
#include "coffer/base/result.h"
#include "coffer/crypto/ecdsa.h"

namespace coffer::audit {

// One thing in the files that is not as it was written.
struct Finding {
  enum class Kind {
    kEdited,      // the line is not what its hash says
    kMissing,     // entries are missing after `line`
    kInserted,    // the line does not belong there, or stands there a second time
    kOutOfOrder,  // the entry stands at another place
    kRewritten,   // changed together with its hash: the next one, or a checkpoint, gives it away
    kSignature,   // the given key did not sign a checkpoint
    kUnproven,    // no checkpoint covers the entries, although one is overdue
    kCut          // the last line is not whole
  };
  Kind kind = Kind::kEdited;
  std::size_t file = 0;     // index of the file
  std::uint64_t line = 0;   // in that file, from 1; 0: before the first
  std::uint64_t first = 0;  // the entries concerned
  std::uint64_t last = 0;
  std::string text;  // a sentence, without the file's name
};

struct VerifyReport {
  std::uint64_t lines = 0;
  std::uint64_t octets = 0;
  std::uint64_t checkpoints = 0;     // signed by the key, and in agreement with the chain
  std::uint64_t first = 0;           // number of the first entry seen
  std::uint64_t last = 0;            // number of the last entry seen
  std::uint64_t covered = 0;         // entries up to here stand under a signature
  std::uint64_t unproven = 0;        // entries at the end that no checkpoint covers
  std::vector<Finding> findings;     // at most VerifyOptions::max_findings
  std::uint64_t more_findings = 0;   // findings that were not kept
  std::vector<std::string> remarks;  // facts that are no fault, or cannot be known
  bool Intact() const { return findings.empty(); }
};

// A checkpoint is promised every 1,000 entries and every second (broker.h). More entries than this
// without one, or a longer time by their own clocks, are a finding. The bounds are twice the
// promise, because others write while the token signs.
inline constexpr std::uint64_t kMostUnprovenEntries = 2000;
inline constexpr std::int64_t kMostUnprovenSeconds = 2;

struct VerifyOptions {
  std::size_t threads = 0;  // 0: one for each processor
  std::size_t max_findings = 1000;
  bool partial = false;              // the files need not begin with the first entry
  std::optional<Checkpoint> anchor;  // kept elsewhere: the chain must have reached it
  // Called on the caller's thread after each piece of some MiB with the bytes that were read, and
  // the bytes that the files had at the beginning. May be empty.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
};

// Reads the files in order as one chain and reports everything that is not as it was written.
// kInvalid if a file cannot be read.
Result<VerifyReport> Verify(std::span<const std::filesystem::path> files,
                            const crypto::EcdsaP256Key& key, const VerifyOptions& options);

// The last checkpoint line of a file, without its newline; kNotFound.
Result<std::string> LastCheckpointLine(const std::filesystem::path& file);

}  // namespace coffer::audit
