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
    Size{"max_connections", &http::Options::max_connections, 1, 1'000'000},
    Size{"max_connections_per_address", &http::Options::max_connections_per_address, 1, 1'000'000},
    Size{"max_parked_requests", &http::Options::max_parked, 1, 10'000},
    Size{"max_buffered_bytes", &http::Options::max_buffered_bytes, 1024 * kKibi,
         1024 * kKibi* kKibi},
    Size{"max_unknown_bytes", &http::Options::max_unknown_bytes, 64 * kKibi, 1024 * kKibi* kKibi},
    Size{"max_unknown_body_bytes", &http::Options::max_unknown_body_bytes, kKibi,
         1024 * kKibi* kKibi},
    Size{"min_rate", &http::Options::min_rate, 1, 1024 * kKibi* kKibi},
    Size{"max_header_bytes", &http::Options::max_header_bytes, kKibi, 1024 * kKibi},
    Size{"max_body_bytes", &http::Options::max_body_bytes, kKibi, 1024 * kKibi* kKibi},
};

struct CacheSize {
  std::string_view name;
  std::size_t keyring::CacheLimits::*member;
  std::int64_t lowest;
  std::int64_t highest;
};

constexpr std::array kCacheSizes{
    CacheSize{"max_cached_key_bytes", &keyring::CacheLimits::key_bytes, 64 * kKibi,
              64 * 1024 * kKibi* kKibi},
    CacheSize{"max_key_handles", &keyring::CacheLimits::handles, 16, 10'000'000},
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
