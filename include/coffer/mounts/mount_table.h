#pragma once

// The mount table: which engine is mounted at which path, and with which settings. The program's
// wiring owns one MountTable; the database and the source of random numbers outlive it.
// Thread-safe. Errors: kInvalid for paths and settings that are not allowed, a Refusal that names
// the path if it is taken, reserved or absent, and errors of the database.
// Example: `mounts.Find("transit/keys/k")` is the mount at "transit/" with `rest` "keys/k".

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/clock.h"
#include "coffer/base/ids.h"
#include "coffer/base/random.h"
#include "coffer/base/result.h"
#include "coffer/storage/database.h"

namespace coffer::mounts {

// The path of a mount, such as "transit/" or "team/a/". It has no leading slash, one trailing
// slash, no empty segment, no segment "." or "..", no control characters, no character with a
// meaning in a policy or a URL ("*", "+", "?", "#", "%"), and at most 512 bytes.
class MountPath {
 public:
  // Adds the trailing slash if it is missing; kInvalid for any other text that is not a path.
  static Result<MountPath> Parse(std::string_view text);
  const std::string& Text() const { return text_; }
  friend bool operator==(const MountPath&, const MountPath&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 of the made code for a pointer
  friend auto operator<=>(const MountPath&, const MountPath&) = default;

 private:
  explicit MountPath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// The settings of a mount, given when it is made and changed by an operator. Times are in seconds;
// 0 means the system default.
struct MountConfig {
  // Its texts are in memory and are shown to clients, some of which need no token for it.
  static constexpr std::size_t kMostOptions = 64;
  static constexpr std::size_t kMostTextBytes = 16UL * 1024;

  std::int64_t default_lease_ttl_seconds = 0;
  std::int64_t max_lease_ttl_seconds = 0;
  bool force_no_cache = false;
  std::string listing_visibility;  // "" or "unauth" or "hidden"
  std::vector<std::pair<std::string, std::string>> options;
  std::string description;
  // These are kept and shown for Vault's clients, and have no effect here.
  bool local = false;
  bool seal_wrap = false;
  bool external_entropy_access = false;
  std::vector<std::string> audit_non_hmac_request_keys;
  std::vector<std::string> audit_non_hmac_response_keys;
  std::vector<std::string> passthrough_request_headers;
  std::vector<std::string> allowed_response_headers;

  // The lists above by their wire names.
  struct NamedList {
    std::string_view name;
    std::vector<std::string> MountConfig::*list;
  };
  static const std::array<NamedList, 4> kLists;
};

inline constexpr std::array<MountConfig::NamedList, 4> MountConfig::kLists{
    {{"audit_non_hmac_request_keys", &MountConfig::audit_non_hmac_request_keys},
     {"audit_non_hmac_response_keys", &MountConfig::audit_non_hmac_response_keys},
     {"passthrough_request_headers", &MountConfig::passthrough_request_headers},
     {"allowed_response_headers", &MountConfig::allowed_response_headers}}};

// A row of the table, as a value. The id, never the path, names the things that belong to the
// mount.
struct Mount {
  Id id;
  MountPath path;
  std::string type;      // "transit"
  std::string accessor;  // "transit_1a2b3c4d"
  MountConfig config;
};

// The mount with the longest path that a request path begins with, and the rest of the request path
// after it.
struct Route {
  std::shared_ptr<const Mount> mount;
  std::string_view rest;
};

// Keeps the mounts as rows in the database, and one immutable snapshot of them in memory that is
// exchanged after each COMMIT. Thread-safe; Find() waits for no writer's SQL.
class MountTable {
 public:
  static std::vector<storage::Migration> Schema();
  // `reserved` are paths, each with a slash at its end; nothing can be mounted there or below.
  static Result<std::unique_ptr<MountTable>> Load(storage::Database& database, Random& random,
                                                  std::vector<std::string> reserved);
  ~MountTable();

  std::optional<Route> Find(std::string_view request_path) const;
  std::vector<std::shared_ptr<const Mount>> List() const;
  bool Reserved(const MountPath& path) const;
  // kMountPathTaken if the path equals a mount's path, or one of the two lies below the other;
  // kMountPathReserved if it is a reserved path or lies below one.
  Result<std::shared_ptr<const Mount>> Add(const MountPath& path, std::string type,
                                           MountConfig config);
  Status Tune(const MountPath& path, MountConfig config);  // kNotFound
  Status Move(const MountPath& from,
              const MountPath& to);  // kNotFound, kRemountPathTaken, kRemountPathReserved; ids stay
  Status Remove(const MountPath& path);  // no error if it is absent

 private:
  struct Impl;
  explicit MountTable(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::mounts
