#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "coffer/base/ids.h"
#include "coffer/keyring/key.h"
#include "coffer/keyring/key_type.h"

namespace coffer::keyring {

// The columns of the key ring's rows, each listed once. What reads, writes and authenticates rows,
// and the backup of a key, visit these lists and nothing else, so a new column is one line here,
// one in the schema, and one format of the encodings that get it.

// How a column takes part, besides being stored.
struct Column {
  enum class Change : std::uint8_t { kNever, kAllowed };

  std::string_view name;           // in SQL
  int mac = 0;                     // its place in the row's MAC; 0: the caller adds it, or nobody
  int backup = 0;                  // its place in a key's backup; 0: not part of it
  Change change = Change::kNever;  // after the row was first written
  // The bounds of a number.
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

// A number as rows and backups have it. False where it is none of the column's.
bool FromNumber(const Column& column, std::int64_t number, KeyType& value);
bool FromNumber(const Column& column, std::int64_t number, Custody& value);
bool FromNumber(const Column& column, std::int64_t number, Kdf& value);
bool FromNumber(const Column& column, std::int64_t number, ImportedThrough& value);
template <std::integral T>
bool FromNumber(const Column& column, std::int64_t number, T& value) {
  value = static_cast<T>(number);
  if constexpr (std::same_as<T, bool>)
    return number == 0 || number == 1;
  else
    return number >= column.least && number <= column.most && std::cmp_equal(value, number);
}

inline constexpr std::int64_t kMostVersions = 2'000'000'000;

// `visit` gets each column of a key's own row and the member that it holds, in the order of the
// encodings under the MAC. A backup has its places in an order of its own.
template <typename AnyKey, typename Visit>
void ForEachKeyColumn(AnyKey&& key, Visit visit) {
  constexpr auto kAllowed = Column::Change::kAllowed;
  auto& settings = key.settings;
  visit(Column{.name = "mount", .mac = 1}, key.mount);
  visit(Column{.name = "id", .mac = 2}, key.id);
  visit(Column{.name = "name", .mac = 3, .backup = 1}, key.name);
  visit(Column{.name = "type", .mac = 4, .backup = 2}, key.type);
  visit(Column{.name = "created", .mac = 5, .backup = 3}, key.created);
  visit(Column{.name = "generation", .mac = 6, .change = kAllowed}, key.generation);
  visit(Column{.name = "latest_version",
               .mac = 7,
               .backup = 4,
               .change = kAllowed,
               .least = 1,
               .most = kMostVersions},
        key.latest_version);
  visit(Column{.name = "min_decryption_version",
               .mac = 8,
               .backup = 9,
               .change = kAllowed,
               .least = 0,
               .most = kMostVersions},
        settings.min_decryption_version);
  visit(Column{.name = "min_encryption_version",
               .mac = 9,
               .backup = 10,
               .change = kAllowed,
               .least = 0,
               .most = kMostVersions},
        settings.min_encryption_version);
  visit(Column{.name = "min_available_version",
               .mac = 10,
               .backup = 11,
               .change = kAllowed,
               .least = 0,
               .most = kMostVersions},
        settings.min_available_version);
  visit(Column{.name = "deletion_allowed", .mac = 11, .backup = 12, .change = kAllowed},
        settings.deletion_allowed);
  visit(Column{.name = "allow_plaintext_backup", .mac = 12, .backup = 13, .change = kAllowed},
        settings.allow_plaintext_backup);
  visit(Column{.name = "soft_deleted", .mac = 13, .backup = 14, .change = kAllowed},
        settings.soft_deleted);
  // A restored key is rotated in any case.
  visit(Column{.name = "rotation_required", .mac = 14, .change = kAllowed},
        settings.rotation_required);
  visit(Column{.name = "auto_rotate_period", .mac = 15, .backup = 15, .change = kAllowed},
        settings.auto_rotate_period_seconds);
  visit(Column{.name = "derived", .mac = 16, .backup = 5}, key.derived);
  visit(Column{.name = "convergent", .mac = 17, .backup = 6}, key.convergent);
  visit(Column{.name = "hmac_octets",
               .mac = 18,
               .backup = 8,
               .least = kMinHmacOctets,
               .most = kMaxHmacOctets},
        key.hmac_octets);
  visit(Column{.name = "imported", .mac = 19, .backup = 16, .change = kAllowed}, settings.imported);
  visit(Column{.name = "allow_imported_rotation", .mac = 20, .backup = 17, .change = kAllowed},
        settings.allow_imported_rotation);
  // The second format of the row's MAC has it, after the versions' MACs.
  visit(Column{.name = "exportable", .backup = 7}, key.exportable);
  // The third format is of keys that have it. There is no backup of them.
  visit(Column{.name = "resident"}, key.resident);
}
inline constexpr int kKeyMacPlaces = 20;
inline constexpr int kKeyBackupPlaces = 17;

// Calls `visit` with each column of a version's row. The key's id and type are its first two
// columns, and are not among these.
template <typename AnyVersion, typename Visit>
void ForEachVersionColumn(AnyVersion&& version, Visit visit) {
  visit(Column{.name = "version", .mac = 1, .backup = 1, .least = 1, .most = kMostVersions},
        version.info.version);
  visit(Column{.name = "custody", .mac = 2, .backup = 2}, version.custody);
  visit(Column{.name = "kdf", .mac = 3, .backup = 3}, version.kdf);
  visit(Column{.name = "master", .mac = 4, .backup = 4}, version.info.master);
  visit(Column{.name = "created", .mac = 5, .backup = 5}, version.info.created);
  visit(Column{.name = "created_by", .mac = 6, .backup = 6}, version.info.created_by);
  visit(Column{.name = "reason", .mac = 7, .backup = 7}, version.info.reason);
  visit(Column{.name = "spki", .mac = 8, .backup = 8}, version.spki);
  visit(Column{.name = "blob", .mac = 9, .backup = 9}, version.blob);
  visit(Column{.name = "hmac_master", .mac = 10, .backup = 10}, version.hmac_master);
  visit(Column{.name = "hmac_blob", .mac = 11, .backup = 11}, version.hmac_blob);
  visit(Column{.name = "locator", .mac = 12}, version.locator);  // nothing resident is backed up
  // The second format of the row's MAC has it.
  visit(Column{.name = "imported_through", .backup = 12}, version.imported_through);
  // The key's row covers it, because it may change.
  visit(Column{.name = "certificate_chain", .backup = 13, .change = Column::Change::kAllowed},
        version.certificate_chain);
  visit(Column{.name = "mac"}, version.mac);
}
inline constexpr int kVersionMacPlaces = 12;
inline constexpr int kVersionBackupPlaces = 13;

}  // namespace coffer::keyring
