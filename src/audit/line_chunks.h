#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "audit/chain_linker.h"
#include "coffer/crypto/ecdsa.h"

namespace coffer::audit {

// Some whole lines of one file, and what they say of themselves. Reading a chunk looks at no other:
// several threads do it at once.
struct LineChunk {
  std::size_t file = 0;
  std::string octets;  // ends with a newline
  std::vector<LineFacts> lines;
  std::vector<SpecialLine> specials;
};

void ReadLines(const crypto::EcdsaP256Key& key, LineChunk& chunk);

// One line, without its newline; `special` is filled in where the result is true.
bool ReadLine(std::string_view line, const crypto::EcdsaP256Key& key, LineFacts& facts,
              SpecialLine& special);

}  // namespace coffer::audit
