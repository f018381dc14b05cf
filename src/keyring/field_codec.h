#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "coffer/base/bytes.h"

namespace coffer::keyring {

// Fields one after another, as they stand under MACs (docs/formats.md): each is a 32-bit big-endian
// length and its bytes; an integer is 8 bytes, big-endian. The first names the schema, so no
// encoding is another's prefix.
class FieldEncoder {
 public:
  explicit FieldEncoder(std::string_view schema) { Put(schema); }
  FieldEncoder& Put(ByteView field);
  FieldEncoder& Put(std::string_view field) { return Put(AsBytes(field)); }
  FieldEncoder& Put(std::int64_t value);
  Bytes Take() { return std::move(out_); }

 private:
  Bytes out_;
};

// Reads fields back. A field that cannot be read is empty or 0, and Whole() is then false at the
// end.
class FieldReader {
 public:
  explicit FieldReader(ByteView encoded) : rest_(encoded) {}
  ByteView Octets();
  Bytes Copy();
  std::string Text();
  std::int64_t Int();
  // Reads like Int(). If the value is not within the bounds, Whole() is false.
  std::int64_t IntIn(std::int64_t least, std::int64_t most);
  bool Flag() { return IntIn(0, 1) != 0; }
  // Every field was there, and nothing is left.
  bool Whole() const { return good_ && rest_.empty(); }
  bool Good() const { return good_; }

 private:
  ByteView rest_;
  bool good_ = true;
};

}  // namespace coffer::keyring
