#include "keyring/key_backup_codec.h"

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include "keyring/field_codec.h"
#include "keyring/row_columns.h"

namespace coffer::keyring {
namespace {

constexpr std::string_view kSchema = "coffer-key-backup-2";
// A value as it stands in a backup.
void PutBackupField(FieldEncoder& out, const std::string& value) { out.Put(value); }
void PutBackupField(FieldEncoder& out, const Bytes& value) { out.Put(ByteView(value)); }
void PutBackupField(FieldEncoder& out, SystemTime value) { out.Put(UnixNanoseconds(value)); }
void PutBackupField(FieldEncoder& out, const Id& value) { out.Put(value.View()); }
template <typename T>
requires(std::integral<T> || std::is_enum_v<T>) void PutBackupField(FieldEncoder& out, T value) {
  out.Put(static_cast<std::int64_t>(value));
}

// False where the value is none of the column's.
bool ReadBackupField(FieldReader& in, const Column& column, std::string& value) {
  static_cast<void>(column);
  value = in.Text();
  return true;
}
bool ReadBackupField(FieldReader& in, const Column& column, Bytes& value) {
  static_cast<void>(column);
  value = in.Copy();
  return true;
}
bool ReadBackupField(FieldReader& in, const Column& column, SystemTime& value) {
  static_cast<void>(column);
  value = FromUnixNanoseconds(in.Int());
  return true;
}
bool ReadBackupField(FieldReader& in, const Column& column, Id& value) {
  static_cast<void>(column);
  const auto id = Id::FromBytes(in.Octets());
  if (id) value = *id;
  return id.has_value();
}
template <typename T>
requires(std::integral<T> ||
         std::is_enum_v<T>) bool ReadBackupField(FieldReader& in, const Column& column, T& value) {
  return FromNumber(column, in.Int(), value);
}

// A backup has its columns in an order of its own, so they are visited once for each place.
template <typename ForEach>
void PutPlaces(FieldEncoder& out, int places, const ForEach& for_each) {
  for (int place = 1; place <= places; ++place) {
    for_each([&](const Column& column, const auto& value) {
      if (column.backup == place) PutBackupField(out, value);
    });
  }
}
template <typename ForEach>
bool ReadPlaces(FieldReader& in, int places, const ForEach& for_each) {
  bool good = true;
  for (int place = 1; place <= places; ++place) {
    for_each([&](const Column& column, auto& value) {
      if (column.backup == place && !ReadBackupField(in, column, value)) good = false;
    });
  }
  return good && in.Good();
}

}  // namespace

Bytes EncodeKeyBackup(const Id& database, const Key& key) {
  FieldEncoder out(kSchema);
  out.Put(database.View());
  PutPlaces(out, kKeyBackupPlaces, [&](auto visit) { ForEachKeyColumn(key, visit); });
  out.Put(static_cast<std::int64_t>(key.versions.size()));
  for (const auto& [number, version] : key.versions) {
    const KeyVersion& each = version;
    PutPlaces(out, kVersionBackupPlaces, [&](auto visit) { ForEachVersionColumn(each, visit); });
  }
  return out.Take();
}

std::optional<Id> DatabaseOfBackup(ByteView encoded) {
  FieldReader in(encoded);
  if (in.Text() != kSchema) return std::nullopt;
  return Id::FromBytes(in.Octets());
}

Result<Key> DecodeKeyBackup(ByteView encoded) {
  const auto unknown = [] { return Fail(Refusal::kBackupUnknown); };
  FieldReader in(encoded);
  if (in.Text() != kSchema) return unknown();
  in.Octets();  // the database
  Key key;
  if (!ReadPlaces(in, kKeyBackupPlaces, [&](auto visit) { ForEachKeyColumn(key, visit); })) {
    return unknown();
  }
  const std::int64_t versions = in.IntIn(1, kMostVersions);
  for (std::int64_t i = 0; i < versions && in.Good(); ++i) {
    KeyVersion version;
    if (!ReadPlaces(in, kVersionBackupPlaces,
                    [&](auto visit) { ForEachVersionColumn(version, visit); })) {
      return unknown();
    }
    if (!version.spki.empty()) {
      COFFER_ASSIGN(version.public_key, crypto::PublicKey::FromSpki(version.spki));
    }
    const int number = version.info.version;
    if (!key.versions.emplace(number, std::move(version)).second) return unknown();
  }
  if (!in.Whole() || !key.versions.contains(key.latest_version)) return unknown();
  return key;
}

}  // namespace coffer::keyring
