#include "audit/journal.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

namespace coffer::audit {
namespace {

constexpr std::size_t kHeadOctets = 64;  // a cache line of its own

}  // namespace

Result<Journal> Journal::Open(const std::filesystem::path& path, FileOperations& files) {
  if (path.empty()) return Journal(nullptr, {new std::uint8_t[kOctets](), kOctets});
  MutableBytes mapped;
  if (const int error = files.Map(path, kOctets, mapped); error < 0) {
    return Fail(Code::kUnavailable, "failed to make the audit journal " + path.string(),
                std::strerror(-error));
  }
  return Journal(&files, mapped);
}

Journal::Journal(FileOperations* files, MutableBytes mapped)
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
  if (files_ != nullptr) {
    if (!mapped_.empty()) files_->Unmap(mapped_);
  } else {
    delete[] mapped_.data();
  }
}

Journal::Found Journal::Recover(const ChainPosition& head, ByteView torn) {
  Found found = Adopt(head.sequence + 1, &head.hash, torn);
  if (found.lines == 0) found.at = head;
  return found;
}

Journal::Found Journal::RecoverUnwritten() {
  std::uint64_t written = 0;
  std::memcpy(&written, mapped_.data(), sizeof written);
  return Adopt(written + 1, nullptr, {});
}

// The run of lines that begins with number `first` and, if given, the hash before it. What a crash
// or a power cut left beside them is no line, or has another number, or another hash.
Journal::Found Journal::Adopt(std::uint64_t first, const crypto::Sha256Digest* before,
                              ByteView torn) {
  struct Place {
    std::size_t offset = 0;
    std::size_t octets = 0;
    SealedLine sealed;
  };
  std::map<std::uint64_t, Place> lines;
  const std::string_view all(room_, size_);
  for (std::size_t at = 0, end = 0; (end = all.find('\n', at)) != std::string_view::npos;
       at = end + 1) {
    Place place{at, end + 1 - at, {}};
    if (ReadSealedLine(all.substr(at, end - at), place.sealed) &&
        place.sealed.at.sequence >= first && place.sealed.Intact()) {
      lines[place.sealed.at.sequence] = place;
    }
  }
  Found found;
  for (auto line = lines.find(first); line != lines.end(); line = lines.find(++first)) {
    const Place& place = line->second;
    if (before != nullptr && place.sealed.before != *before) break;
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
    before = &place.sealed.at.hash;
  }
  if (found.lines > 0 && !torn.empty() && Next().starts_with(AsText(torn))) {
    Took(torn.size());
    found.continues_torn = true;
  }
  return found;
}

Journal::Found Journal::Forget() {
  kept_ = begin_ = end_ = limit_ = pending_ = 0;
  wrapped_ = false;
  return {};
}

bool Journal::Fits(std::size_t octets) const {
  if (wrapped_) return octets < kept_ - end_;
  return octets <= size_ - end_ || octets < kept_;
}

void Journal::Put(std::string_view line) {
  if (!wrapped_ && line.size() > size_ - end_) {
    limit_ = end_;
    wrapped_ = true;
    end_ = 0;
  }
  std::copy(line.begin(), line.end(), room_ + end_);
  end_ += line.size();
  pending_ += line.size();
}

std::string_view Journal::Next() const {
  return {room_ + begin_, (wrapped_ ? limit_ : end_) - begin_};
}

void Journal::Took(std::size_t octets) {
  const std::string_view taken(room_ + begin_, octets);
  if (const std::size_t newline = taken.rfind('\n'); newline != std::string_view::npos) {
    kept_ = begin_ + newline + 1;
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

void Journal::NoteWritten(std::uint64_t sequence) {
  std::memcpy(mapped_.data(), &sequence, sizeof sequence);
}

void Journal::Rewind() {
  pending_ += begin_ - kept_;
  begin_ = kept_;
}

}  // namespace coffer::audit
