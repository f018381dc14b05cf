#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>

namespace coffer::audit {

// A value that threads read at each request and that is seldom replaced, as a whole. Each of them
// takes it from one of several places, so that readers do not pull one counter from core to core.
// What was taken stays as it was for as long as somebody holds it. Thread-safe; while Set() runs,
// one thread may see the new value and another still the former one, but none goes back.
template <typename T>
class Snapshot {
 public:
  explicit Snapshot(const T& value = {}) { Set(value); }

  std::shared_ptr<const T> Get() const {
    Place& place = places_[PlaceOfThread()];
    const std::lock_guard lock(place.mutex);
    return place.value;
  }
  // One caller at a time. Each place has a copy.
  void Set(const T& value) {
    std::array<std::shared_ptr<const T>, kPlaces> copies;
    for (auto& copy : copies) {
      const auto held = std::make_shared<const Held>(Held{value});
      copy = std::shared_ptr<const T>(held, &held->value);
    }
    for (std::size_t i = 0; i < kPlaces; ++i) {
      const std::lock_guard lock(places_[i].mutex);
      places_[i].value.swap(copies[i]);
    }
  }

 private:
  static constexpr std::size_t kPlaces = 16;
  static constexpr std::size_t kCacheLine = 64;
  struct alignas(kCacheLine) Held {  // with the count of its users
    T value;
  };
  struct alignas(kCacheLine) Place {
    std::mutex mutex;
    std::shared_ptr<const T> value;
  };
  static std::size_t PlaceOfThread() {
    static std::atomic<std::size_t> threads{0};
    static thread_local const std::size_t place = threads++ % kPlaces;
    return place;
  }
  mutable std::array<Place, kPlaces> places_;
};

}  // namespace coffer::audit
