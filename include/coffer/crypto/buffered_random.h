#pragma once

#include "coffer/base/random.h"

namespace coffer::crypto {

// The kernel's random octets, drawn ahead for each thread: one system call for many small values.
// For identifiers, which only have to differ; never for keys or nonces, since a copy of a running
// machine would draw the same once more. Thread-safe.
class BufferedRandom final : public Random {
 public:
  void Fill(MutableBytes out) override;
};

}  // namespace coffer::crypto
