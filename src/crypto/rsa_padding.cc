#include "coffer/crypto/rsa_padding.h"

#include <algorithm>
#include <array>
#include <limits>

namespace coffer::crypto {
namespace {

// XORs MGF1(seed) into `out` (RFC 8017 B.2.1).
void XorMgf1(HashAlgorithm hash, ByteView seed, MutableBytes out) {
  Bytes input(seed.begin(), seed.end());
  input.resize(seed.size() + 4);
  std::uint32_t counter = 0;
  for (std::size_t at = 0; at < out.size(); ++counter) {
    for (std::size_t i = 0; i < 4; ++i) {
      input[seed.size() + i] = static_cast<std::uint8_t>(counter >> (24 - 8 * i));
    }
    Bytes block = Hash(hash, input);
    const std::size_t take = std::min(block.size(), out.size() - at);
    for (std::size_t i = 0; i < take; ++i) out[at + i] ^= block[i];
    at += take;
    SecureWipe(block.data(), block.size());
  }
  SecureWipe(input.data(), input.size());
}

// Masks of all bits for the constant-time part: no branch and no index depends on a secret.
using Word = std::size_t;

Word MaskOfTopBit(Word value) {
  return Word{0} - (value >> (std::numeric_limits<Word>::digits - 1));
}
Word IsZero(Word value) { return MaskOfTopBit(~value & (value - 1)); }
Word Equal(Word a, Word b) { return IsZero(a ^ b); }
Word Select(Word mask, Word a, Word b) { return (mask & a) | (~mask & b); }

}  // namespace

Bytes Pkcs1DigestInfo(HashAlgorithm hash, ByteView digest) {
  const auto size = static_cast<std::uint8_t>(digest.size());
  Bytes out;
  if (hash == HashAlgorithm::kSha1) {
    out = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
           0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
  } else {
    // 2.16.840.1.101.3.4.2.x (NIST's hash algorithms), in the order of HashAlgorithm.
    static constexpr std::array<std::uint8_t, 9> kArc{0, 4, 1, 2, 3, 7, 8, 9, 10};
    out = {0x30,
           static_cast<std::uint8_t>(size + 17),
           0x30,
           0x0d,
           0x06,
           0x09,
           0x60,
           0x86,
           0x48,
           0x01,
           0x65,
           0x03,
           0x04,
           0x02,
           kArc.at(static_cast<std::size_t>(hash)),
           0x05,
           0x00,
           0x04,
           size};
  }
  out.insert(out.end(), digest.begin(), digest.end());
  return out;
}

int PssMaxSalt(HashAlgorithm hash, int modulus_bits) {
  return modulus_bits / 8 - static_cast<int>(HashSize(hash)) - 2;
}

Result<Bytes> PssEncode(HashAlgorithm hash, ByteView digest, int salt_octets, int modulus_bits,
                        Random& random) {
  if (salt_octets < 0 || salt_octets > PssMaxSalt(hash, modulus_bits) ||
      digest.size() != HashSize(hash)) {
    return Fail(Code::kInvalid, "salt does not fit the key");
  }
  const auto length = static_cast<std::size_t>(modulus_bits / 8);
  const std::size_t hash_octets = HashSize(hash);
  const std::size_t masked = length - hash_octets - 1;
  Bytes salt(static_cast<std::size_t>(salt_octets));
  random.Fill(salt);
  Bytes input(8);
  input.insert(input.end(), digest.begin(), digest.end());
  input.insert(input.end(), salt.begin(), salt.end());
  const Bytes h = Hash(hash, input);
  Bytes out(length);
  out[masked - salt.size() - 1] = 1;
  std::copy(salt.begin(), salt.end(),
            out.begin() + static_cast<std::ptrdiff_t>(masked - salt.size()));
  XorMgf1(hash, h, MutableBytes(out).first(masked));
  out[0] &= 0x7f;  // emBits is one less than the modulus's bits
  std::copy(h.begin(), h.end(), out.begin() + static_cast<std::ptrdiff_t>(masked));
  out.back() = 0xbc;
  return out;
}

Result<SecretBytes> OaepDecode(HashAlgorithm hash, const SecretBytes& block) {
  const std::size_t hash_octets = HashSize(hash);
  const auto failed = [] { return Fail(Refusal::kRsaDecryptionFailed); };
  if (block.size() < 2 * hash_octets + 2) return failed();
  SecretBytes work = SecretBytes::CopyOf(block.Reveal());
  const MutableBytes all = work.RevealMutable();
  const MutableBytes seed = all.subspan(1, hash_octets);
  const MutableBytes data = all.subspan(1 + hash_octets);
  XorMgf1(hash, data, seed);
  XorMgf1(hash, seed, data);
  const Bytes label = Hash(hash, {});
  Word good = IsZero(all[0]);
  Word difference = 0;
  for (std::size_t i = 0; i < hash_octets; ++i) difference |= data[i] ^ label[i];
  good &= IsZero(difference);
  // `at` becomes the place of the 01 after the zeros. The whole block is read whatever it holds, so
  // that the time tells nothing.
  Word found = 0;
  Word at = 0;
  for (std::size_t i = hash_octets; i < data.size(); ++i) {
    const Word is_one = Equal(data[i], 1);
    const Word is_zero = IsZero(data[i]);
    at = Select(~found & is_one, i, at);
    good &= found | is_one | is_zero;
    found |= is_one;
  }
  good &= found;
  const std::size_t room = data.size() - hash_octets - 1;
  const Word length = Select(good, data.size() - 1 - at, 0);
  // Moves the message to the front, in steps of powers of two, so that the bytes that are read do
  // not depend on the place where it begins.
  const MutableBytes tail = data.subspan(hash_octets + 1);
  const Word shift = room - length;
  for (Word step = 1; step <= room; step <<= 1) {
    const Word move = ~IsZero(shift & step);
    for (std::size_t i = 0; i + step < room; ++i) {
      tail[i] = static_cast<std::uint8_t>(Select(move, tail[i + step], tail[i]));
    }
  }
  SecretBytes message = SecretBytes::CopyOf(tail);
  // From here on the outcome and the length are public: the caller learns both.
  if (good == 0) return failed();
  message.Truncate(length);
  return message;
}

}  // namespace coffer::crypto
