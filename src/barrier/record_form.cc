#include "barrier/record_form.h"

#include <limits>

namespace coffer::barrier {
namespace {

constexpr std::uint8_t kForm = 1;
constexpr std::size_t kHeadBytes = 5;
constexpr std::string_view kBoundDataName = "coffer-record-1";

void PutUint32(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

// A field with its length before it, so that no two lists of fields look alike.
void PutField(Bytes& out, ByteView field) {
  PutUint32(out, static_cast<std::uint32_t>(field.size()));
  out.insert(out.end(), field.begin(), field.end());
}

}  // namespace

std::optional<Record> ReadRecord(ByteView sealed) {
  if (sealed.size() < kSealedOverhead || sealed[0] != kForm) return std::nullopt;
  std::uint32_t version = 0;
  for (std::size_t i = 1; i < kHeadBytes; ++i) version = version << 8 | sealed[i];
  if (version == 0 || version > std::uint32_t{std::numeric_limits<int>::max()}) {
    return std::nullopt;
  }
  return Record{static_cast<int>(version), sealed.subspan(kHeadBytes)};
}

Bytes MakeRecord(int version, ByteView payload) {
  Bytes record{kForm};
  record.reserve(kHeadBytes + payload.size());
  PutUint32(record, static_cast<std::uint32_t>(version));
  record.insert(record.end(), payload.begin(), payload.end());
  return record;
}

Bytes BoundData(std::string_view owner, const Place& place, int version) {
  Bytes bound;
  PutField(bound, AsBytes(kBoundDataName));
  PutField(bound, AsBytes(owner));
  PutField(bound, AsBytes(place.table));
  PutField(bound, place.row);
  PutUint32(bound, static_cast<std::uint32_t>(place.schema));
  PutUint32(bound, static_cast<std::uint32_t>(version));
  return bound;
}

}  // namespace coffer::barrier
