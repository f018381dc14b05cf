#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/pkcs11/types.h"

namespace coffer::pkcs11 {

// A template of attributes in the order of the calls; owns every value, also those of nested
// templates. Order matters to some tokens: SoftHSM requires kModifiable to be last. Move-only (raw
// attribute pointers refer into it). Not thread-safe.
class Attributes {
 public:
  Attributes();
  Attributes(Attributes&&) noexcept;
  Attributes& operator=(Attributes&&) noexcept;
  ~Attributes();

  Attributes& Add(AttributeType type, bool value);
  Attributes& Add(AttributeType type, unsigned long value);
  Attributes& Add(AttributeType type, ObjectClass value);
  Attributes& Add(AttributeType type, KeyType value);
  Attributes& Add(AttributeType type, ByteView value);
  Attributes& Add(AttributeType type, std::string_view value);
  Attributes& Add(AttributeType type, const char* value) {
    return Add(type, std::string_view(value));
  }
  Attributes& AddMechanisms(AttributeType type, std::initializer_list<MechanismType> mechanisms) {
    return AddMechanisms(type,
                         std::span<const MechanismType>(mechanisms.begin(), mechanisms.size()));
  }
  Attributes& AddMechanisms(AttributeType type, std::span<const MechanismType> mechanisms);
  // kWrapTemplate or kUnwrapTemplate: a deep copy of `nested`.
  Attributes& AddTemplate(AttributeType type, const Attributes& nested);
  // Appends copies of all of `other`'s attributes.
  Attributes& Append(const Attributes& other);

  std::size_t size() const;
  bool Contains(AttributeType type) const;
  // The type and raw value of attribute `index`; nested templates have no raw value.
  AttributeType TypeAt(std::size_t index) const;
  ByteView ValueAt(std::size_t index) const;
  const Attributes* NestedAt(std::size_t index) const;  // null where it is not a template

  struct Impl;  // pkcs11/src only
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::pkcs11
