#include "api/key_counts.h"

#include <algorithm>

namespace coffer::api {

KeyCounts::Requests& KeyCounts::Of(std::string_view mount_accessor, std::string_view key) {
  const auto found = keys_.find(std::pair(mount_accessor, key));
  if (found != keys_.end()) return found->second;
  if (keys_.size() >= limit_) return others_;
  return keys_[{std::string(mount_accessor), std::string(key)}];
}

void KeyCounts::Note(std::string_view mount_accessor, std::string_view key,
                     std::string_view pattern) {
  if (!Counting()) return;
  const std::string_view segment = pattern.substr(0, pattern.find('/'));
  const auto operation = std::find(kOperations.begin(), kOperations.end() - 1, segment);
  const std::lock_guard lock(mutex_);
  ++Of(mount_accessor, key)[static_cast<std::size_t>(operation - kOperations.begin())];
}

void KeyCounts::Register(metrics::Registry& registry) const {
  const auto show = [](std::string_view mount_accessor, std::string_view key,
                       const Requests& requests, metrics::Samples& samples) {
    for (std::size_t i = 0; i < kOperations.size(); ++i) {
      if (requests[i] == 0) continue;
      samples.Add(requests[i], {{"mount_accessor", std::string(mount_accessor)},
                                {"key", std::string(key)},
                                {"operation", std::string(kOperations[i])}});
    }
  };
  registry.Add(
      {"coffer_key_requests_total",
       "Successful requests by key, for the first keys used; \"other\" is all further ones.",
       metrics::Type::kCounter},
      [this, show](metrics::Samples& samples) {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, requests] : keys_) {
          show(name.first, name.second, requests, samples);
        }
        show("other", "other", others_, samples);
      });
}

}  // namespace coffer::api
