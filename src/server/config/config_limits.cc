#include <array>
#include <cstdint>

#include "server/config/config_file.h"

namespace coffer::server {
namespace {

constexpr std::int64_t kKibi = 1024;

struct Size {
  std::string_view name;
  std::size_t http::Options::*member;
  std::int64_t lowest;
  std::int64_t highest;
};

constexpr std::array kSizes{
    Size{.name = "max_connections",
         .member = &http::Options::max_connections,
         .lowest = 1,
         .highest = 1'000'000},
    Size{.name = "max_connections_per_address",
         .member = &http::Options::max_connections_per_address,
         .lowest = 1,
         .highest = 1'000'000},
    Size{.name = "max_parked_requests",
         .member = &http::Options::max_parked,
         .lowest = 1,
         .highest = 10'000},
    Size{.name = "max_buffered_bytes",
         .member = &http::Options::max_buffered_bytes,
         .lowest = 1024 * kKibi,
         .highest = 1024 * kKibi * kKibi},
    Size{.name = "max_unknown_bytes",
         .member = &http::Options::max_unknown_bytes,
         .lowest = 64 * kKibi,
         .highest = 1024 * kKibi * kKibi},
    Size{.name = "max_unknown_body_bytes",
         .member = &http::Options::max_unknown_body_bytes,
         .lowest = kKibi,
         .highest = 1024 * kKibi * kKibi},
    Size{.name = "min_rate",
         .member = &http::Options::min_rate,
         .lowest = 1,
         .highest = 1024 * kKibi * kKibi},
    Size{.name = "max_header_bytes",
         .member = &http::Options::max_header_bytes,
         .lowest = kKibi,
         .highest = 1024 * kKibi},
    Size{.name = "max_body_bytes",
         .member = &http::Options::max_body_bytes,
         .lowest = kKibi,
         .highest = 1024 * kKibi * kKibi},
};

struct CacheSize {
  std::string_view name;
  std::size_t keyring::CacheLimits::*member;
  std::int64_t lowest;
  std::int64_t highest;
};

constexpr std::array kCacheSizes{
    CacheSize{.name = "max_cached_key_bytes",
              .member = &keyring::CacheLimits::key_bytes,
              .lowest = 64 * kKibi,
              .highest = 64 * 1024 * kKibi * kKibi},
    CacheSize{.name = "max_key_handles",
              .member = &keyring::CacheLimits::handles,
              .lowest = 16,
              .highest = 10'000'000},
};

struct Timeout {
  std::string_view name;
  std::chrono::milliseconds http::Options::*member;
};

constexpr std::array kTimeouts{
    Timeout{"handshake_timeout", &http::Options::handshake_timeout},
    Timeout{"header_timeout", &http::Options::header_timeout},
    Timeout{"body_timeout", &http::Options::body_timeout},
    Timeout{"unknown_body_timeout", &http::Options::unknown_body_timeout},
    Timeout{"send_timeout", &http::Options::send_timeout},
    Timeout{"idle_timeout", &http::Options::idle_timeout},
    Timeout{"queue_timeout", &http::Options::queue_timeout},
    Timeout{"parked_timeout", &http::Options::parked_timeout},
};
constexpr std::int64_t kLongestSeconds = 3600;

}  // namespace

Status ReadLimits(const hcl::Block& block, Config& config) {
  hcl::ObjectReader reader(*block.body, "limits");
  for (const Size& size : kSizes) {
    COFFER_ASSIGN(const auto value, reader.Integer(size.name, size.lowest, size.highest));
    if (value) config.http.*size.member = static_cast<std::size_t>(*value);
  }
  for (const CacheSize& size : kCacheSizes) {
    COFFER_ASSIGN(const auto value, reader.Integer(size.name, size.lowest, size.highest));
    if (value) config.cache_limits.*size.member = static_cast<std::size_t>(*value);
  }
  for (const Timeout& timeout : kTimeouts) {
    COFFER_ASSIGN(const auto value, reader.Seconds(timeout.name, 1, kLongestSeconds));
    if (value) config.http.*timeout.member = std::chrono::seconds(*value);
  }
  return reader.Finish();
}

void PrintLimits(const Config& config, std::string& out) {
  out += "limits {\n";
  for (const Size& size : kSizes) {
    PrintInteger(size.name, static_cast<std::int64_t>(config.http.*size.member), out);
  }
  for (const CacheSize& size : kCacheSizes) {
    PrintInteger(size.name, static_cast<std::int64_t>(config.cache_limits.*size.member), out);
  }
  for (const Timeout& timeout : kTimeouts) {
    PrintSeconds(timeout.name, config.http.*timeout.member, out);
  }
  out += "}\n";
}

}  // namespace coffer::server
