#include "audit/journal.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

namespace coffer::audit {
namespace {

constexpr std::size_t kHeadOctets = 64;  // a number of 8 octets and a hash

std::size_t LastNewline(std::string_view text) {
  const void* const found = text.empty() ? nullptr : ::memrchr(text.data(), '\n', text.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace

Result<Journal> Journal::Open(const std::filesystem::path& path, FileOperations& files) {
  MutableBytes mapped;
  if (const int error = files.Map(path, kOctets, mapped); error < 0) {
    return Fail(Code::kUnavailable, "failed to make the audit journal " + path.string(),
                std::strerror(-error));
  }
  return Journal(files, mapped);
}

Journal::Journal(FileOperations& files, MutableBytes mapped)
    : files_(files),
      mapped_(mapped),
      room_(reinterpret_cast<char*>(mapped.data()) + kHeadOctets),
      size_(mapped.size() - kHeadOctets) {}

Journal::Journal(Journal&& other) noexcept
    : files_(other.files_),
      mapped_(std::exchange(other.mapped_, {})),
      room_(other.room_),
      size_(other.size_) {}

Journal::~Journal() {
  if (!mapped_.empty()) files_.Unmap(mapped_);
}

Journal::Found Journal::RecoverUntaken(ByteView torn) {
  ChainPosition taken;
  std::memcpy(&taken.sequence, mapped_.data(), sizeof taken.sequence);
  std::memcpy(taken.hash.data(), mapped_.data() + sizeof taken.sequence, taken.hash.size());
  return Recover(taken, torn);
}

// A run of lines, each with the hash of the one before it. What a crash or a power cut left beside
// them is no line, or follows another.
Journal::Found Journal::Recover(const ChainPosition& head, ByteView torn) {
  struct Place {
    std::size_t offset = 0;
    std::size_t octets = 0;
    SealedLine sealed;
  };
  std::map<crypto::Sha256Digest, Place> lines;  // by the hash before them
  const std::string_view all(room_, size_);
  for (std::size_t at = 0, end = 0; (end = all.find('\n', at)) != std::string_view::npos;
       at = end + 1) {
    Place place{at, end + 1 - at, {}};
    if (ReadSealedLine(all.substr(at, end - at), place.sealed) &&
        place.sealed.at.sequence > head.sequence && place.sealed.Intact()) {
      lines[place.sealed.before] = place;
    }
  }
  Found found{head, 0, false};
  for (auto line = lines.find(found.at.hash); line != lines.end();
       line = lines.find(found.at.hash)) {
    const Place& place = line->second;
    if (place.sealed.at.sequence != found.at.sequence + 1) break;
    if (found.lines == 0) {
      begin_ = kept_ = end_ = place.offset;
    } else if (place.offset == 0 && !wrapped_) {
      limit_ = end_;
      wrapped_ = true;
      end_ = 0;
    } else if (place.offset != end_) {
      break;
    }
    end_ += place.octets;
    pending_ += place.octets;
    ++found.lines;
    found.at = place.sealed.at;
  }
  if (found.lines > 0 && !torn.empty() && Next().starts_with(AsText(torn))) {
    Took(torn.size());
    found.continues_torn = true;
  }
  return found;
}

void Journal::Forget() {
  kept_ = begin_ = end_ = limit_ = pending_ = 0;
  wrapped_ = false;
}

void Journal::ClearRest() {
  if (wrapped_) {
    std::fill(room_ + end_, room_ + kept_, '\0');
    std::fill(room_ + limit_, room_ + size_, '\0');
  } else {
    std::fill(room_, room_ + kept_, '\0');
    std::fill(room_ + end_, room_ + size_, '\0');
  }
}

bool Journal::Fits(std::size_t octets) const {
  if (wrapped_) return octets < kept_ - end_;
  return octets <= size_ - end_ || octets < kept_;
}

void Journal::Put(std::string_view beginning, std::string_view rest) {
  const std::size_t octets = beginning.size() + rest.size();
  if (!wrapped_ && octets > size_ - end_) {
    limit_ = end_;
    wrapped_ = true;
    end_ = 0;
  }
  std::copy(rest.begin(), rest.end(), std::copy(beginning.begin(), beginning.end(), room_ + end_));
  end_ += octets;
  pending_ += octets;
}

std::string_view Journal::Next() const {
  return {room_ + begin_, (wrapped_ ? limit_ : end_) - begin_};
}

void Journal::Took(std::size_t octets) {
  const std::string_view taken(room_ + kept_, begin_ + octets - kept_);
  if (const std::size_t end = LastNewline(taken); end != std::string_view::npos) {
    const std::size_t before = LastNewline(taken.substr(0, end));
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    SealedLine last;
    if (ReadSealedLine(taken.substr(begin, end - begin), last)) NoteTaken(last.at);
    kept_ += end + 1;
  }
  begin_ += octets;
  pending_ -= octets;
  if (wrapped_ && begin_ == limit_) {
    begin_ = kept_ = 0;
    wrapped_ = false;
  }
  // The same few pages serve again and again.
  if (pending_ == 0) begin_ = kept_ = end_ = 0;
}

// A crash in between leaves a number that the hash does not belong to: then nothing follows.
void Journal::NoteTaken(const ChainPosition& at) {
  std::memcpy(mapped_.data(), &at.sequence, sizeof at.sequence);
  std::memcpy(mapped_.data() + sizeof at.sequence, at.hash.data(), at.hash.size());
}

void Journal::Rewind() {
  pending_ += begin_ - kept_;
  begin_ = kept_;
}

}  // namespace coffer::audit
