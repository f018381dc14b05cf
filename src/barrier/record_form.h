#pragma once

#include <optional>
#include <string_view>

#include "coffer/barrier/barrier.h"
#include "coffer/base/bytes.h"

namespace coffer::barrier {

// The form of sealed records (docs/formats.md, "Sealed records").

// A sealed record, taken apart. `payload` is the nonce, the ciphertext and the tag.
struct Record {
  int version = 0;
  ByteView payload;
};
// Nothing where it is none of this form.
std::optional<Record> ReadRecord(ByteView sealed);
Bytes MakeRecord(int version, ByteView payload);

// The data that the tag covers besides the record: all that must be the same when it is opened.
Bytes BoundData(std::string_view owner, const Place& place, int version);

}  // namespace coffer::barrier
