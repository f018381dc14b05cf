// How a device finds its place in the chain.

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "audit/entry_text.h"
#include "audit/file_device.h"

namespace coffer::audit {
namespace {

constexpr std::uint64_t kFirstWindow = 256UL * 1024;
constexpr std::uint64_t kLargestWindow = 64UL * 1024 * 1024;

// The end of the last line of `text` that carries a chain, and its place; nothing where there is
// none. Its content is not checked: whoever changed it shall not be able to hide that as an
// accident of the start.
struct LastLine {
  std::size_t end = 0;
  ChainPosition at;
};
std::optional<LastLine> FindLastLine(std::string_view text) {
  std::size_t end = text.rfind('\n');
  while (end != std::string_view::npos) {
    const std::size_t before = end == 0 ? std::string_view::npos : text.rfind('\n', end - 1);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    SealedLine sealed;
    if (ReadSealedLine(text.substr(begin, end - begin), sealed))
      return LastLine{end + 1, sealed.at};
    end = before;
  }
  return std::nullopt;
}

bool MayPass(int error) {
  return error != EWOULDBLOCK && error != ELOOP && error != EISDIR && error != ENOTDIR &&
         error != ENAMETOOLONG;
}

}  // namespace

Result<std::unique_ptr<FileDevice>> FileDevice::Open(const Options& options, const Known& known,
                                                     FileOperations& files, const Clock& clock,
                                                     Logger& logger,
                                                     std::function<void()> want_checkpoint) {
  COFFER_ASSIGN(Journal journal, Journal::Open(options.journal, files));
  std::unique_ptr<FileDevice> device(new FileDevice(options, known, std::move(journal), files,
                                                    clock, logger, std::move(want_checkpoint)));
  COFFER_TRY(device->Start());
  return device;
}

Status FileDevice::Start() {
  const int file = OpenFile();
  if (file >= 0) {
    file_ = file;
    if (identity_.regular) files_.SyncDirectory(options_.path.parent_path());
    COFFER_TRY(Begin());
  } else if (!MayPass(-file)) {
    return Fail(Code::kInvalid,
                "failed to open the audit file: " + std::string(file == -EWOULDBLOCK
                                                                    ? "another process writes to it"
                                                                    : std::strerror(-file)));
  }
  {
    Lock lock(mutex_);
    if (file < 0) {
      Break(-file, "open");
    } else {
      static_cast<void>(WriteOwn(lock, StartLine()));  // else Recover() goes on from here
    }
  }
  thread_ = std::thread([this] { Upkeep(); });
  return {};
}

Status FileDevice::Begin() {
  std::optional<ChainPosition> at;  // of the file's last line
  Bytes torn;
  Journal::Found found;
  if (identity_.regular && identity_.size > 0) {
    COFFER_TRY(ReadEnd(at, torn));
    found = at ? journal_.Recover(*at, torn) : journal_.RecoverUntaken(torn);
    if (!at && !found.continues_torn) {
      return Fail(Code::kInvalid,
                  "the audit file holds something else than audit entries: move it "
                  "away, or name another");
    }
  } else if (identity_.regular) {
    found = journal_.RecoverUntaken({});
  }
  // Left by a power cut: less than what is known to have been, or not what the file's end begins.
  if ((!at && found.at.sequence < known_.at.sequence) || (!torn.empty() && !found.continues_torn)) {
    journal_.Forget();
    found = {};
  }
  journal_.ClearRest();
  const Lock lock(mutex_);
  if (at) head_ = *at;
  if (!at && known_.exact) head_ = known_.at;
  file_head_ = head_;
  journal_lines_ = found.lines;
  if (found.lines > 0) {
    head_ = found.at;
    accepted_ += found.lines;
    uncovered_ += found.lines;
    logger_.Log(LogLevel::kWarn, "audit",
                "entries that a crash had left in the journal are written",
                {{"device", known_.name}, {"entries", std::to_string(found.lines)}});
  }
  if (!torn.empty() && !found.continues_torn) {
    torn_octets_ = torn.size();
    torn_hash_ = ToHex(crypto::Sha256(torn));
    newline_owed_ = torn.back() != '\n';
  }
  begun_ = true;
  if (head_.sequence < known_.at.sequence ||
      (head_.sequence == known_.at.sequence && head_.hash != known_.at.hash)) {
    logger_.Log(LogLevel::kError, "audit",
                "audit entries are missing: the file ends before the last one that a change of "
                "state was recorded with",
                {{"device", known_.name},
                 {"path", options_.path.string()},
                 {"last_in_file", std::to_string(head_.sequence)},
                 {"last_known", std::to_string(known_.at.sequence)}});
  }
  return {};
}

// A crash can leave the beginning of a line, or octets that are none, at the end: where the journal
// has no rest of them they stay, on a line of their own, and the first new entry speaks of them.
Status FileDevice::ReadEnd(std::optional<ChainPosition>& at, Bytes& torn) {
  const std::uint64_t size = identity_.size;
  Bytes tail;
  for (std::uint64_t window = kFirstWindow;; window *= 4) {
    const std::uint64_t octets = std::min(size, window);
    tail.resize(octets);
    const std::int64_t got = files_.Read(file_, size - octets, tail);
    if (got != static_cast<std::int64_t>(octets)) {
      return Fail(Code::kUnavailable, "failed to read the audit file",
                  got < 0 ? std::strerror(static_cast<int>(-got)) : "it shrank");
    }
    const auto last = FindLastLine(AsText(tail));
    if (last) {
      at = last->at;
      torn.assign(tail.begin() + static_cast<std::ptrdiff_t>(last->end), tail.end());
      return {};
    }
    // The beginning of the very first line, perhaps.
    if (octets == size && octets <= kFirstWindow) {
      torn = std::move(tail);
      return {};
    }
    if (octets == size || window >= kLargestWindow) {
      return Fail(Code::kInvalid,
                  "the audit file holds something else than audit entries: move it "
                  "away, or name another");
    }
  }
}

std::string FileDevice::StartLine() const {
  const std::string lines = std::to_string(journal_lines_);
  const std::string known = std::to_string(known_.at.sequence);
  const std::string known_hash = ToHex(known_.at.hash);
  const std::string torn = std::to_string(torn_octets_);
  std::string line;
  AppendEvent({std::string(kStartEvent),
               {{"journal_lines", lines},
                {"known_seq", known},
                {"known_hash", known_hash},
                {"torn_octets", torn},
                {"torn_sha256", torn_hash_}}},
              clock_.Now(), line);
  return line;
}

}  // namespace coffer::audit
