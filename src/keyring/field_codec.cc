#include "keyring/field_codec.h"

#include <array>

namespace coffer::keyring {
namespace {

constexpr std::size_t kLengthOctets = 4;
constexpr std::size_t kIntOctets = 8;

}  // namespace

FieldEncoder& FieldEncoder::Put(ByteView field) {
  const auto size = static_cast<std::uint32_t>(field.size());
  for (int shift = 24; shift >= 0; shift -= 8) {
    out_.push_back(static_cast<std::uint8_t>(size >> shift));
  }
  out_.insert(out_.end(), field.begin(), field.end());
  return *this;
}

FieldEncoder& FieldEncoder::Put(std::int64_t value) {
  std::array<std::uint8_t, kIntOctets> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    octets[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (56 - 8 * i));
  }
  return Put(ByteView(octets));
}

ByteView FieldReader::Octets() {
  std::size_t size = 0;
  if (rest_.size() >= kLengthOctets) {
    for (std::size_t i = 0; i < kLengthOctets; ++i) size = size << 8 | rest_[i];
  }
  if (rest_.size() < kLengthOctets || size > rest_.size() - kLengthOctets) {
    good_ = false;
    rest_ = {};
    return {};
  }
  const ByteView field = rest_.subspan(kLengthOctets, size);
  rest_ = rest_.subspan(kLengthOctets + size);
  return field;
}

Bytes FieldReader::Copy() {
  const ByteView field = Octets();
  return {field.begin(), field.end()};
}

std::string FieldReader::Text() { return std::string(AsText(Octets())); }

std::int64_t FieldReader::Int() {
  const ByteView field = Octets();
  if (field.size() != kIntOctets) {
    good_ = false;
    return 0;
  }
  std::uint64_t value = 0;
  for (const std::uint8_t octet : field) value = value << 8 | octet;
  return static_cast<std::int64_t>(value);
}

std::int64_t FieldReader::IntIn(std::int64_t least, std::int64_t most) {
  const std::int64_t value = Int();
  if (value >= least && value <= most) return value;
  good_ = false;
  return least;
}

}  // namespace coffer::keyring
