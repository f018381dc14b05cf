#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

namespace coffer {

// A value that threads read at each request and that is seldom replaced, as a whole. Each of them
// takes it from one of several places, so that readers do not pull one counter from core to core.
// What was taken stays as it was for as long as somebody holds it. Thread-safe; while Set() runs,
// one thread may see the new value and another still the former one, but none goes back.
template <typename T>
class Snapshot {
 public:
  explicit Snapshot(T value = {}) { Set(std::move(value)); }

  std::shared_ptr<const T> Get() const {
    Place& place = places_[PlaceOfThread()];
    const std::lock_guard lock(place.mutex);
    return place.value;
  }
  // One caller at a time. Each place has a copy.
  void Set(T value) {
    for (Place& place : places_) {
      auto copy = std::make_shared<const T>(value);
      const std::lock_guard lock(place.mutex);
      place.value.swap(copy);
    }
  }

 private:
  static constexpr std::size_t kPlaces = 16;
  static constexpr std::size_t kCacheLine = 64;
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

}  // namespace coffer
