#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "coffer/keyring/key_type.h"
#include "keyring/doctor_bench.h"

namespace coffer::keyring {

// The result of one operation: an error if it was refused or its answer was wrong, else a note on
// how it was done (mostly empty).
using Trial = Result<std::string>;

// One operation of a key type, as a server needs it. `once` does it and checks its answer outside
// the token; it is repeated to measure the speed.
struct Operation {
  std::string_view name;
  bool outside = false;  // done with the public key alone
  Use use = Use::kCipher;
  std::function<Trial(DoctorBench& bench, const Specimen& specimen, pkcs11::ObjectHandle key)> once;
};

// The operations of a key type, without "create" and "load", which every type has. Empty for a type
// that this release cannot use.
std::vector<Operation> OperationsOf(const KeyTypeInfo& info);

}  // namespace coffer::keyring
