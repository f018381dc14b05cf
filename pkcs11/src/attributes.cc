#include "coffer/pkcs11/attributes.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "attributes_impl.h"
#include "coffer/base/secret_bytes.h"
#include "raw_bytes.h"

namespace coffer::pkcs11 {
// A template may hold key material (C_CreateObject), so every value is wiped.
Attributes::Impl::~Impl() {
  for (Value& value : values) SecureWipe(value.octets.data(), value.octets.size());
}

Attributes::Attributes() : impl_(std::make_unique<Impl>()) {}
Attributes::Attributes(Attributes&&) noexcept = default;
Attributes& Attributes::operator=(Attributes&&) noexcept = default;
Attributes::~Attributes() = default;

Attributes& Attributes::Add(AttributeType type, ByteView value) {
  impl_->values.push_back({Bytes(value.begin(), value.end()), nullptr});
  impl_->raw.push_back({static_cast<CK_ATTRIBUTE_TYPE>(type),
                        InputPointer(impl_->values.back().octets), value.size()});
  return *this;
}

Attributes& Attributes::Add(AttributeType type, bool value) {
  const CK_BBOOL octet = value ? CK_TRUE : CK_FALSE;
  return Add(type, RawBytes(octet));
}

Attributes& Attributes::Add(AttributeType type, unsigned long value) {
  return Add(type, RawBytes(value));
}

Attributes& Attributes::Add(AttributeType type, ObjectClass value) {
  return Add(type, static_cast<unsigned long>(value));
}

Attributes& Attributes::Add(AttributeType type, KeyType value) {
  return Add(type, static_cast<unsigned long>(value));
}

Attributes& Attributes::Add(AttributeType type, std::string_view value) {
  return Add(type, AsBytes(value));
}

Attributes& Attributes::AddMechanisms(AttributeType type,
                                      std::span<const MechanismType> mechanisms) {
  static_assert(sizeof(MechanismType) == sizeof(CK_MECHANISM_TYPE));
  return Add(type, ByteView(reinterpret_cast<const std::uint8_t*>(mechanisms.data()),
                            mechanisms.size() * sizeof(MechanismType)));
}

Attributes& Attributes::AddTemplate(AttributeType type, const Attributes& nested) {
  auto copy = std::make_unique<Attributes>();
  copy->Append(nested);
  CK_ATTRIBUTE* const data = copy->impl_->Data();
  const CK_ULONG octets = copy->impl_->Size() * sizeof(CK_ATTRIBUTE);
  impl_->values.push_back({{}, std::move(copy)});
  impl_->raw.push_back({static_cast<CK_ATTRIBUTE_TYPE>(type), data, octets});
  return *this;
}

Attributes& Attributes::Append(const Attributes& other) {
  const std::size_t count = other.size();  // `other` may be *this
  for (std::size_t i = 0; i < count; ++i) {
    if (const Attributes* nested = other.NestedAt(i)) {
      AddTemplate(other.TypeAt(i), *nested);
    } else {
      const ByteView value = other.ValueAt(i);
      Add(other.TypeAt(i), value);
    }
  }
  return *this;
}

std::size_t Attributes::size() const { return impl_->raw.size(); }

bool Attributes::Contains(AttributeType type) const {
  return std::any_of(impl_->raw.begin(), impl_->raw.end(), [type](const CK_ATTRIBUTE& attribute) {
    return attribute.type == static_cast<CK_ATTRIBUTE_TYPE>(type);
  });
}

AttributeType Attributes::TypeAt(std::size_t index) const {
  return static_cast<AttributeType>(impl_->raw.at(index).type);
}

ByteView Attributes::ValueAt(std::size_t index) const { return impl_->values.at(index).octets; }

const Attributes* Attributes::NestedAt(std::size_t index) const {
  return impl_->values.at(index).nested.get();
}

}  // namespace coffer::pkcs11
