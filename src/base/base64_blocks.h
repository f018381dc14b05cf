#pragma once

#include <cstddef>
#include <cstdint>

namespace coffer {

// Base64 by blocks of 12 octets and 16 letters, with no table that is indexed by the text: the time
// taken tells nothing of it. Both do as many blocks as they can, none on a processor without SSSE3,
// and leave the rest to the caller.

// Octets of `in` that were encoded; `out` has received four letters for each three.
std::size_t EncodeBlocks(const std::uint8_t* in, std::size_t octets, char* out);

// Letters of `in` that were decoded: it stops before a block with anything but letters of the
// alphabet. `out` has received three octets for each four; beyond them it may be overwritten up to
// the three octets for each four of `letters`.
std::size_t DecodeBlocks(const char* in, std::size_t letters, std::uint8_t* out);

}  // namespace coffer
