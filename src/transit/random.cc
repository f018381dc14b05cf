#include <cstddef>

#include "coffer/transit/engine.h"

namespace coffer::transit {

Result<SecretBytes> Engine::RandomBytes(const Caller& caller, RandomSource source,
                                        std::int64_t count) {
  constexpr std::int64_t kMaxCount = 131'072;
  if (count < 1) return Fail(Refusal::kRandomTooShort, {.given = count});
  if (count > kMaxCount) return Fail(Refusal::kRandomTooLong, {.given = count, .bound = kMaxCount});
  SecretBytes bytes(static_cast<std::size_t>(count));
  if (source == RandomSource::kPlatform) {
    random_.Fill(bytes.RevealMutable());
    return bytes;
  }
  COFFER_TRY(caller.lane->Random(bytes.RevealMutable()));
  if (source == RandomSource::kAll) {
    SecretBytes platform(bytes.size());
    random_.Fill(platform.RevealMutable());
    const MutableBytes out = bytes.RevealMutable();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] ^= platform.Reveal()[i];
  }
  return bytes;
}

}  // namespace coffer::transit
