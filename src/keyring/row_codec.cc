#include "keyring/row_codec.h"

#include <algorithm>
#include <concepts>
#include <string>

#include "coffer/crypto/digest.h"
#include "keyring/field_codec.h"
#include "keyring/row_columns.h"

namespace coffer::keyring {
namespace {

// The use of a version's keys, as a word that the MAC covers: a blob cannot be passed off as one
// for another use.
std::string_view UsageName(const KeySpec& spec) {
  if (spec.derived) return "derive";
  switch (InfoOf(spec.type).family) {
    case Family::kRsa:
      return "decrypt-sign";
    case Family::kEcdsa:
    case Family::kEd25519:
      return "sign";
    case Family::kHmac:
    case Family::kCmac:
      return "mac";
    default:
      return "encrypt-decrypt";
  }
}

// A value as it stands under a MAC.
void PutMacField(FieldEncoder& out, const Id& value) { out.Put(value.View()); }
void PutMacField(FieldEncoder& out, const std::string& value) { out.Put(value); }
void PutMacField(FieldEncoder& out, const Bytes& value) { out.Put(ByteView(value)); }
void PutMacField(FieldEncoder& out, SystemTime value) { out.Put(UnixNanoseconds(value)); }
void PutMacField(FieldEncoder& out, KeyType value) { out.Put(static_cast<std::int64_t>(value)); }
void PutMacField(FieldEncoder& out, Custody value) { out.Put(CustodyName(value)); }
void PutMacField(FieldEncoder& out, Kdf value) { out.Put(KdfName(value)); }
void PutMacField(FieldEncoder& out, ImportedThrough value) { out.Put(ImportedThroughName(value)); }
template <std::integral T>
void PutMacField(FieldEncoder& out, T value) {
  out.Put(static_cast<std::int64_t>(value));
}

// Puts the columns with the places from `first` to `last`, which are in the lists' own order.
auto MacColumns(FieldEncoder& out, int first, int last) {
  return [&out, first, last](const Column& column, const auto& value) {
    if (column.mac >= first && column.mac <= last) PutMacField(out, value);
  };
}

bool HasCertificates(const Key& key) {
  return std::ranges::any_of(
      key.versions, [](const auto& entry) { return !entry.second.certificate_chain.empty(); });
}

// Certificates may come and change after the version's row was written, so the key's row covers
// them.
crypto::Sha256Digest CertificatesDigest(const Key& key) {
  FieldEncoder out("coffer-certificates-1");
  for (const auto& [number, version] : key.versions) {
    out.Put(std::int64_t{number}).Put(std::string_view(version.certificate_chain));
  }
  return crypto::Sha256(out.Take());
}

}  // namespace

// A row that has nothing of what came with the second schema is encoded by the first, under which
// it may have been written.
Bytes EncodeVersionRow(const Id& key, const KeySpec& spec, const KeyVersion& version) {
  const bool imported = version.imported_through != ImportedThrough::kNone;
  FieldEncoder out(imported ? "coffer-version-row-2" : "coffer-version-row-1");
  out.Put(key.View());
  ForEachVersionColumn(version, MacColumns(out, 1, 1));
  out.Put(static_cast<std::int64_t>(spec.type)).Put(UsageName(spec));
  ForEachVersionColumn(version, MacColumns(out, 2, kVersionMacPlaces));
  if (imported) out.Put(ImportedThroughName(version.imported_through));
  return out.Take();
}

Bytes EncodeKeyRow(const Id& database, const Key& key) {
  crypto::Sha256Stream versions;
  for (const auto& [number, version] : key.versions) versions.Update(version.mac);
  const bool second = key.resident || key.exportable || HasCertificates(key);
  FieldEncoder out(key.resident ? "coffer-key-row-3"
                   : second     ? "coffer-key-row-2"
                                : "coffer-key-row-1");
  out.Put(database.View());
  ForEachKeyColumn(key, MacColumns(out, 1, kKeyMacPlaces));
  out.Put(ByteView(versions.Finish()));
  if (second) out.Put(std::int64_t{key.exportable}).Put(ByteView(CertificatesDigest(key)));
  return out.Take();
}

Bytes EncodeStateRow(const StateRow& state) {
  return FieldEncoder("coffer-state-row-1")
      .Put(state.database.View())
      .Put(static_cast<std::int64_t>(state.epoch))
      .Put(state.keys)
      .Put(ByteView(state.sum))
      .Take();
}

Sum KeyContribution(const Id& key, std::int64_t generation, ByteView key_mac) {
  return crypto::Sha256(
      FieldEncoder("coffer-key-sum-1").Put(key.View()).Put(generation).Put(key_mac).Take());
}

void AddTo(Sum& sum, const Sum& term) {
  unsigned carry = 0;
  for (std::size_t i = sum.size(); i-- > 0;) {
    carry += static_cast<unsigned>(sum[i]) + term[i];
    sum[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
}

void SubtractFrom(Sum& sum, const Sum& term) {
  int borrow = 0;
  for (std::size_t i = sum.size(); i-- > 0;) {
    const int difference = static_cast<int>(sum[i]) - term[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    sum[i] = static_cast<std::uint8_t>(difference + (borrow != 0 ? 256 : 0));
  }
}

}  // namespace coffer::keyring
