#include "api/key_counts.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace coffer::api {

KeyCounts::KeyCounts(std::size_t limit)
    : limit_(limit), slots_(limit == 0 ? 0 : std::bit_ceil(2 * limit)) {
  others_.mount_accessor = "other";
  others_.key = "other";
}

KeyCounts::~KeyCounts() {
  for (const auto& slot : slots_) delete slot.load();
}

KeyCounts::Entry* KeyCounts::Find(std::string_view mount_accessor, std::string_view key) {
  const std::size_t hash =
      std::hash<std::string_view>{}(mount_accessor)*31 + std::hash<std::string_view>{}(key);
  for (std::size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    Entry* known = slots_[at].load(std::memory_order_acquire);
    if (known == nullptr) {
      if (taken_.fetch_add(1) >= limit_) {
        taken_.fetch_sub(1);
        return &others_;
      }
      auto fresh = std::make_unique<Entry>();
      fresh->mount_accessor = mount_accessor;
      fresh->key = key;
      if (slots_[at].compare_exchange_strong(known, fresh.get(), std::memory_order_acq_rel)) {
        return fresh.release();
      }
      taken_.fetch_sub(1);  // another thread was first; `known` is its entry
    }
    if (known->mount_accessor == mount_accessor && known->key == key) return known;
  }
}

void KeyCounts::Note(std::string_view mount_accessor, std::string_view key,
                     std::string_view pattern) {
  if (!Counting()) return;
  const std::string_view segment = pattern.substr(0, pattern.find('/'));
  const auto operation = std::find(kOperations.begin(), kOperations.end() - 1, segment);
  Find(mount_accessor, key)
      ->requests[static_cast<std::size_t>(operation - kOperations.begin())]
      .Add();
}

void KeyCounts::Show(const Entry& entry, metrics::Samples& samples) {
  for (std::size_t i = 0; i < kOperations.size(); ++i) {
    const std::uint64_t count = entry.requests[i].Value();
    if (count == 0) continue;
    samples.Add(count, {{"mount_accessor", entry.mount_accessor},
                        {"key", entry.key},
                        {"operation", std::string(kOperations[i])}});
  }
}

void KeyCounts::Register(metrics::Registry& registry) const {
  registry.Add(
      {"coffer_key_requests_total",
       "Successful requests by key, for the first keys used; \"other\" is all further ones.",
       metrics::Type::kCounter},
      [this](metrics::Samples& samples) {
        for (const auto& slot : slots_) {
          const Entry* const entry = slot.load(std::memory_order_acquire);
          if (entry != nullptr) Show(*entry, samples);
        }
        Show(others_, samples);
      });
}

}  // namespace coffer::api
