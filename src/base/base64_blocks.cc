// W. Mula, D. Lemire: Faster Base64 Encoding and Decoding Using AVX2 Instructions, ACM Transactions
// on the Web 12 (3), 2018; here with vectors of 16 octets.

#include "base64_blocks.h"

#if defined(__x86_64__)

#include <immintrin.h>

namespace coffer {
namespace {

#define COFFER_SSSE3 __attribute__((target("ssse3")))

constexpr std::size_t kOctets = 12;
constexpr std::size_t kLetters = 16;

bool HasSsse3() {
  static const bool has = __builtin_cpu_supports("ssse3") != 0;
  return has;
}

COFFER_SSSE3 __m128i Load(const void* from) {
  return _mm_loadu_si128(static_cast<const __m128i*>(from));
}

COFFER_SSSE3 void Store(void* to, __m128i value) {
  _mm_storeu_si128(static_cast<__m128i*>(to), value);
}

// The first 12 octets to 16 sextets.
COFFER_SSSE3 __m128i Spread(__m128i octets) {
  const __m128i triples =
      _mm_shuffle_epi8(octets, _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
  const __m128i first_and_third = _mm_mulhi_epu16(
      _mm_and_si128(triples, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
  const __m128i second_and_fourth = _mm_mullo_epi16(
      _mm_and_si128(triples, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
  return _mm_or_si128(first_and_third, second_and_fourth);
}

// Each sextet's letter lies a fixed distance away, which depends on its range only.
COFFER_SSSE3 __m128i Letters(__m128i sextets) {
  // 0 for a-z, 1 to 10 for 0-9, 11 for +, 12 for /, 13 for A-Z.
  const __m128i above = _mm_subs_epu8(sextets, _mm_set1_epi8(51));
  const __m128i upper = _mm_cmpgt_epi8(_mm_set1_epi8(26), sextets);
  const __m128i range = _mm_or_si128(above, _mm_and_si128(upper, _mm_set1_epi8(13)));
  const __m128i distance =
      _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                    '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
  return _mm_add_epi8(sextets, _mm_shuffle_epi8(distance, range));
}

// False where one is no letter of the alphabet. A letter's high and low half each name a set of
// faults; it is good where they have none in common.
COFFER_SSSE3 bool Sextets(__m128i letters, __m128i& sextets) {
  const __m128i low_faults = _mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
                                           0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
  const __m128i high_faults = _mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10,
                                            0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
  const __m128i distance = _mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m128i nibble = _mm_set1_epi8(0x0f);
  const __m128i high = _mm_and_si128(_mm_srli_epi32(letters, 4), nibble);
  const __m128i low = _mm_and_si128(letters, nibble);
  const __m128i faults =
      _mm_and_si128(_mm_shuffle_epi8(low_faults, low), _mm_shuffle_epi8(high_faults, high));
  if (_mm_movemask_epi8(_mm_cmpeq_epi8(faults, _mm_setzero_si128())) != 0xffff) return false;
  // '/' is the one letter that its high half does not place: its distance stands before that of
  // '+'.
  const __m128i slash = _mm_cmpeq_epi8(letters, _mm_set1_epi8('/'));
  sextets = _mm_add_epi8(letters, _mm_shuffle_epi8(distance, _mm_add_epi8(slash, high)));
  return true;
}

// 16 sextets to 12 octets; the last four of the vector are zero.
COFFER_SSSE3 __m128i Gather(__m128i sextets) {
  const __m128i pairs = _mm_maddubs_epi16(sextets, _mm_set1_epi32(0x01400140));
  const __m128i triples = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00011000));
  return _mm_shuffle_epi8(triples,
                          _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
}

}  // namespace

COFFER_SSSE3 std::size_t EncodeBlocks(const std::uint8_t* in, std::size_t octets, char* out) {
  if (!HasSsse3()) return 0;
  std::size_t done = 0;
  // A vector is loaded for each block: four octets more than it takes.
  for (; done + sizeof(__m128i) <= octets; done += kOctets, out += kLetters) {
    Store(out, Letters(Spread(Load(in + done))));
  }
  return done;
}

COFFER_SSSE3 std::size_t DecodeBlocks(const char* in, std::size_t letters, std::uint8_t* out) {
  if (!HasSsse3()) return 0;
  std::size_t done = 0;
  __m128i sextets;
  // A vector is stored for each block: four octets more than it makes, room for which two further
  // quanta have.
  for (; done + kLetters + 8 <= letters && Sextets(Load(in + done), sextets); done += kLetters) {
    Store(out, Gather(sextets));
    out += kOctets;
  }
  return done;
}

}  // namespace coffer

#else

namespace coffer {

std::size_t EncodeBlocks(const std::uint8_t*, std::size_t, char*) { return 0; }
std::size_t DecodeBlocks(const char*, std::size_t, std::uint8_t*) { return 0; }

}  // namespace coffer

#endif
