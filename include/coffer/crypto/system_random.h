#pragma once

#include "coffer/base/random.h"

namespace coffer::crypto {

// The kernel's generator through getrandom(2), one call each time: nothing is buffered in the
// process, so that a copied virtual machine cannot replay bytes. Thread-safe; aborts where the
// kernel refuses.
class SystemRandom final : public Random {
 public:
  void Fill(MutableBytes out) override;
};

}  // namespace coffer::crypto
