// The start of a device: it finds its place in the chain from the end of its file.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "audit/entry_text.h"
#include "audit/file_device.h"

namespace coffer::audit {
namespace {

constexpr std::uint64_t kFirstWindow = 256UL * 1024;
constexpr std::uint64_t kLargestWindow = 64UL * 1024 * 1024;

bool MayPass(int error) {
  return error != EWOULDBLOCK && error != ELOOP && error != EISDIR && error != ENOTDIR &&
         error != ENAMETOOLONG && error != ENODEV;
}

std::string Describe(int error) {
  if (error == EWOULDBLOCK) return "another process writes to it";
  if (error == ENODEV) return "it is neither a file nor a named pipe";
  return std::strerror(error);
}

// The beginning of a device's very first line, or the zeros that a power cut may leave of it.
bool IsTornFirstLine(std::string_view text) {
  constexpr std::string_view kBegin = R"({"time":")";
  if (text.find_first_not_of('\0') == std::string_view::npos) return true;
  return text.find('\n') == std::string_view::npos &&
         kBegin.substr(0, text.size()) == text.substr(0, kBegin.size());
}

}  // namespace

std::optional<FileDevice::LastLine> FileDevice::FindLastLine(std::string_view text) {
  std::size_t end = text.size();
  while (true) {
    const std::size_t before = end == 0 ? std::string_view::npos : text.rfind('\n', end - 1);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    SealedLine sealed;
    if (ReadSealedLine(text.substr(begin, end - begin), sealed)) {
      return LastLine{std::min(end + 1, text.size()), sealed.at};
    }
    if (before == std::string_view::npos) return std::nullopt;
    end = before;
  }
}

Result<std::unique_ptr<FileDevice>> FileDevice::Open(const Options& options,
                                                     const std::string& name, const Known& known,
                                                     FileOperations& files, const Clock& clock,
                                                     Logger& logger,
                                                     std::function<void()> want_checkpoint) {
  std::unique_ptr<FileDevice> device(
      new FileDevice(options, name, known, files, clock, logger, std::move(want_checkpoint)));
  COFFER_TRY(device->Start());
  return device;
}

Status FileDevice::Start() {
  const int file = OpenFile();
  if (file < 0 && !MayPass(-file)) {
    return Fail(Code::kInvalid, "failed to open the audit file: " + Describe(-file));
  }
  {
    Lock lock(mutex_);
    Turn turn;
    Lead lead = TakeLead(lock, turn);
    file_ = file;
    if (file >= 0 && !identity_.regular && (options_.always_sync || options_.rotate_octets != 0)) {
      Leave(turn, std::move(lead));
      return Fail(Code::kInvalid, "a named pipe can be neither synced nor rotated");
    }
    if (file < 0) {
      Break(-file, "open");
      Leave(turn, std::move(lead));
    } else {
      lock.unlock();
      const Status found = FindPlace(lead, known_);
      lock.lock();
      if (!found) {
        Leave(turn, std::move(lead));
        return found;
      }
      // If the line cannot be written, Recover() tries again later.
      static_cast<void>(WriteOwn(lock, std::move(lead), turn, BeginLine(kStartEvent)));
    }
  }
  thread_ = std::thread([this] { Upkeep(); });
  return {};
}

Status FileDevice::FindPlace(const Lead&, const Known& known) {
  std::optional<ChainPosition> at;  // of the file's last line
  if (identity_.regular) newline_owed_ = false;
  if (identity_.regular && identity_.size > 0) {
    COFFER_TRY(ReadEnd(files_, file_, identity_.size, at, torn_, newline_owed_));
  }
  if (!at && known.exact) at = known.at;
  if (!at && identity_.regular) at = EndOfRotated();
  const Lock lock(mutex_);
  head_ = at.value_or(ChainPosition{});
  promised_ = known.at;
  begun_ = true;
  if (head_.sequence < known.at.sequence ||
      (head_.sequence == known.at.sequence && head_.hash != known.at.hash)) {
    logger_.Log(LogLevel::kError, "audit",
                "audit entries are missing: the file ends before the last one that it is known to "
                "have held",
                {{"device", name_},
                 {"path", options_.path.string()},
                 {"last_in_file", std::to_string(head_.sequence)},
                 {"last_known", std::to_string(known.at.sequence)}});
  }
  return {};
}

// A crash or a fault can leave the beginning of a line, or bytes that are no line, at the end: they
// stay, on a line of their own, and the first new entry speaks of them.
Status FileDevice::ReadEnd(FileOperations& files, int file, std::uint64_t size,
                           std::optional<ChainPosition>& at, Bytes& torn, bool& newline_owed) {
  Bytes tail;
  for (std::uint64_t window = kFirstWindow;; window *= 4) {
    const std::uint64_t octets = std::min(size, window);
    tail.resize(octets);
    const std::int64_t got = files.Read(file, size - octets, tail);
    if (got != static_cast<std::int64_t>(octets)) {
      return Fail(Code::kUnavailable, "failed to read the audit file",
                  got < 0 ? std::strerror(static_cast<int>(-got)) : "it shrank");
    }
    newline_owed = tail.back() != '\n';
    const auto last = FindLastLine(AsText(tail));
    if (last) {
      at = last->at;
      torn.assign(tail.begin() + static_cast<std::ptrdiff_t>(last->end), tail.end());
      return {};
    }
    if (octets == size && octets <= kFirstWindow && IsTornFirstLine(AsText(tail))) {
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

Status FileDevice::CheckEnd(FileOperations& files, int file, std::uint64_t size) {
  if (size == 0) return {};
  std::optional<ChainPosition> at;
  Bytes torn;
  bool newline_owed = false;
  return ReadEnd(files, file, size, at, torn, newline_owed);
}

// The place to continue from if a crash came between a rotation and the new file's first line.
std::optional<ChainPosition> FileDevice::EndOfRotated() {
  const std::string prefix = options_.path.filename().string() + ".";
  std::filesystem::path last;
  std::error_code unreadable;  // then there is none
  for (const auto& entry :
       std::filesystem::directory_iterator(options_.path.parent_path(), unreadable)) {
    const std::string name = entry.path().filename().string();
    const std::string number = name.starts_with(prefix) ? name.substr(prefix.size()) : "";
    const bool rotated = number.size() >= kSequenceDigits &&
                         number.find_first_not_of("0123456789") == std::string::npos;
    const auto order = [](const std::filesystem::path& path) {
      const std::string text = path.string();
      return std::pair(text.size(), text);
    };
    if (rotated && (last.empty() || order(last) < order(entry.path()))) last = entry.path();
  }
  if (last.empty()) return std::nullopt;
  const int file = files_.Open(last);
  if (file < 0) return std::nullopt;
  FileOperations::Facts facts;
  std::optional<ChainPosition> at;
  Bytes torn;
  bool newline_owed = false;
  // A rotated file that cannot be read gives no place to continue from.
  if (files_.Inspect(file, facts) == 0 && facts.size > 0) {
    static_cast<void>(ReadEnd(files_, file, facts.size, at, torn, newline_owed));
  }
  files_.Close(file);
  return at;
}

std::string FileDevice::BeginLine(std::string_view event, std::string_view refused,
                                  std::string_view why) const {
  const std::string known = std::to_string(promised_.sequence);
  const std::string known_hash = ToHex(promised_.hash);
  const std::string torn = std::to_string(torn_.size());
  const std::string torn_hash = torn_.empty() ? "" : ToHex(crypto::Sha256(torn_));
  std::string line;
  if (event == kStartEvent) {
    AppendEvent({event,
                 {{"known_seq", known},
                  {"known_hash", known_hash},
                  {"torn_octets", torn},
                  {"torn_sha256", torn_hash}}},
                clock_.Now(), line);
  } else {
    AppendEvent({event,
                 {{"known_seq", known},
                  {"known_hash", known_hash},
                  {"torn_octets", torn},
                  {"torn_sha256", torn_hash},
                  {"refused", refused},
                  {"why", why}}},
                clock_.Now(), line);
  }
  return line;
}

}  // namespace coffer::audit
