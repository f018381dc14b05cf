#pragma once

#include "coffer/base/bytes.h"

namespace coffer {

// A source of random bytes fit for keys and nonces. Thread-safe. Fill never returns short: the
// implementation aborts the process where the operating system cannot give randomness.
class Random {
 public:
  virtual ~Random() = default;
  virtual void Fill(MutableBytes out) = 0;
};

}  // namespace coffer
