#pragma once

#include <memory>
#include <vector>

#include "coffer/pkcs11/attributes.h"
#include "cryptoki.h"

namespace coffer::pkcs11 {

// `raw` points into `values`: each is a heap buffer of its own, so growth of either vector leaves
// the pointers valid.
struct Attributes::Impl {
  struct Value {
    Bytes octets;
    std::unique_ptr<Attributes> nested;
  };
  std::vector<Value> values;
  std::vector<CK_ATTRIBUTE> raw;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();
  // For a call; cryptoki's templates lack const but are only read.
  CK_ATTRIBUTE* Data() const { return const_cast<CK_ATTRIBUTE*>(raw.data()); }
  CK_ULONG Size() const { return raw.size(); }
};

}  // namespace coffer::pkcs11
