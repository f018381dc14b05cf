#include "coffer/crypto/system_random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace coffer::crypto {

void SystemRandom::Fill(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::abort();
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace coffer::crypto
