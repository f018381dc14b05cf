#include "coffer/crypto/buffered_random.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "coffer/crypto/system_random.h"

namespace coffer::crypto {
namespace {

struct Drawn {
  std::array<std::uint8_t, 1024> octets{};
  std::size_t left = 0;  // at the end of `octets`
};

}  // namespace

void BufferedRandom::Fill(MutableBytes out) {
  thread_local Drawn drawn;
  if (out.size() > drawn.octets.size()) {
    SystemRandom().Fill(out);
    return;
  }
  if (out.size() > drawn.left) {
    SystemRandom().Fill(drawn.octets);
    drawn.left = drawn.octets.size();
  }
  std::copy_n(drawn.octets.end() - static_cast<std::ptrdiff_t>(drawn.left), out.size(),
              out.begin());
  drawn.left -= out.size();
}

}  // namespace coffer::crypto
