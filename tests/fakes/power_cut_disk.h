#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/bytes.h"

namespace coffer::fakes {

// Remembers, in order, every write to some files and every sync, and builds from them a state that
// a power cut at any moment may leave: everything that was synced, and each other sector in any of
// its states since, or as if it was never written. Thread-safe.
class PowerCutDisk final {
 public:
  static constexpr std::uint64_t kSector = 512;
  using Image = std::map<std::string, Bytes>;

  // The state after a power cut of a sector that was written and not synced.
  enum class Fate {
    kLost,       // as it was at the last sync
    kKept,       // as it was last written
    kAny,        // as it was after any one of its writes, or before them
    kAnyOrNoise  // as for kAny; a sector that was never synced may hold anything
  };

  // Begins with these files on the disk; every event from now on is remembered.
  void Begin(Image image) {
    const std::lock_guard lock(mutex_);
    adopted_ = std::move(image);
    events_.clear();
  }
  void Write(const std::string& name, std::uint64_t offset, ByteView octets) {
    Add({Event::Kind::kWrite, name, offset, Bytes(octets.begin(), octets.end())});
  }
  void Truncate(const std::string& name, std::uint64_t size) {
    Add({Event::Kind::kTruncate, name, size, {}});
  }
  // A sync puts on the disk all that was written before its beginning, once it has ended.
  std::uint64_t BeginSync() const { return Moment(); }
  void EndSync(const std::string& name, std::uint64_t begun) {
    if (!ignores_syncs) Add({Event::Kind::kSync, name, begun, {}});
  }
  // The number of things that have happened.
  std::uint64_t Moment() const {
    const std::lock_guard lock(mutex_);
    return events_.size();
  }

  // The files after a power cut that follows the first `moment` events.
  Image Cut(std::uint64_t moment, Fate fate, std::mt19937_64& random) const {
    const std::lock_guard lock(mutex_);
    Image image;
    for (const auto& [name, content] : adopted_) {
      image[name] = CutFile(name, content, moment, fate, random);
    }
    return image;
  }

  bool ignores_syncs = false;  // a disk that lies

 private:
  struct Event {
    enum class Kind { kWrite, kTruncate, kSync } kind;
    std::string file;
    std::uint64_t place = 0;  // of a write; a new size; the moment at which a sync began
    Bytes octets;
  };

  void Add(Event event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }

  static void Apply(const Event& event, Bytes& content) {
    if (event.kind == Event::Kind::kTruncate) content.resize(event.place);
    if (event.kind != Event::Kind::kWrite) return;
    content.resize(std::max<std::size_t>(content.size(), event.place + event.octets.size()));
    std::copy(event.octets.begin(), event.octets.end(),
              content.begin() + static_cast<std::ptrdiff_t>(event.place));
  }

  Bytes CutFile(const std::string& name, Bytes content, std::uint64_t moment, Fate fate,
                std::mt19937_64& random) const {
    std::vector<std::uint64_t> pending;
    for (std::uint64_t i = 0; i < moment; ++i) {
      const Event& event = events_[i];
      if (event.file != name) continue;
      if (event.kind != Event::Kind::kSync) {
        pending.push_back(i);
        continue;
      }
      const auto covered = std::lower_bound(pending.begin(), pending.end(), event.place);
      for (auto at = pending.begin(); at != covered; ++at) Apply(events_[*at], content);
      pending.erase(pending.begin(), covered);
    }
    if (fate == Fate::kLost) return content;
    if (fate == Fate::kKept) {
      for (const std::uint64_t at : pending) Apply(events_[at], content);
      return content;
    }
    return Tear(std::move(content), pending, fate, random);
  }

  // The versions of each sector are the images after each pending event in turn.
  Bytes Tear(const Bytes& synced, const std::vector<std::uint64_t>& pending, Fate fate,
             std::mt19937_64& random) const {
    Bytes now = synced;
    std::map<std::uint64_t, std::vector<Bytes>> versions;  // a sector's, in order
    for (const std::uint64_t at : pending) {
      const Event& event = events_[at];
      const std::size_t before = now.size();
      Apply(event, now);
      const bool write = event.kind == Event::Kind::kWrite;
      const std::uint64_t end = write ? event.place + event.octets.size() : before;
      for (std::uint64_t sector = event.place / kSector; sector * kSector < end; ++sector) {
        versions[sector].push_back(SectorOf(now, sector));
      }
    }
    Bytes torn = synced;
    for (const auto& [sector, states] : versions) {
      const std::size_t chosen =
          std::uniform_int_distribution<std::size_t>(0, states.size())(random);
      if (chosen > 0) {
        Put(states[chosen - 1], sector, torn);
      } else if (fate == Fate::kAnyOrNoise && sector * kSector >= synced.size() &&
                 std::uniform_int_distribution<int>(0, 1)(random) == 0) {
        Bytes noise(kSector);
        for (std::uint8_t& octet : noise) octet = static_cast<std::uint8_t>(random());
        Put(noise, sector, torn);
      }
    }
    return torn;
  }

  static Bytes SectorOf(const Bytes& content, std::uint64_t sector) {
    const std::size_t begin = std::min<std::size_t>(content.size(), sector * kSector);
    const std::size_t end = std::min<std::size_t>(content.size(), begin + kSector);
    return {content.begin() + static_cast<std::ptrdiff_t>(begin),
            content.begin() + static_cast<std::ptrdiff_t>(end)};
  }
  static void Put(const Bytes& octets, std::uint64_t sector, Bytes& content) {
    const std::size_t begin = sector * kSector;
    content.resize(std::max<std::size_t>(content.size(), begin + octets.size()));
    std::copy(octets.begin(), octets.end(), content.begin() + static_cast<std::ptrdiff_t>(begin));
  }

  mutable std::mutex mutex_;
  Image adopted_;
  std::vector<Event> events_;
};

}  // namespace coffer::fakes
