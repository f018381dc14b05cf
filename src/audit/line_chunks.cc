#include "audit/line_chunks.h"

#include <cstring>
#include <utility>

#include "coffer/base/bytes.h"

namespace coffer::audit {

bool ReadLine(std::string_view line, const crypto::EcdsaP256Key& key, LineFacts& facts,
              SpecialLine& special) {
  facts.octets = static_cast<std::uint32_t>(line.size());
  SealedLine sealed;
  if (!ReadSealedLine(line, sealed)) return false;
  facts.sealed = true;
  facts.at = sealed.at;
  facts.before = sealed.before;
  facts.intact = sealed.Intact();
  if (!facts.intact) return false;
  if (IsCheckpointLine(line)) {
    Checkpoint checkpoint;
    // One that cannot be read is one that the key did not sign.
    special.signature_good = ReadCheckpoint(line, checkpoint) &&
                             checkpoint.key_id == KeyId(key.Der()) &&
                             key.Verify(SignedOctets(checkpoint), checkpoint.signature);
    special.checkpoint = std::move(checkpoint);
    return true;
  }
  StartFacts start;
  if (!ReadStart(line, start)) return false;
  special.start = std::move(start);
  return true;
}

void ReadLines(const crypto::EcdsaP256Key& key, LineChunk& chunk) {
  constexpr std::size_t kUsualLine = 700;
  chunk.lines.reserve(chunk.octets.size() / kUsualLine);
  const char* at = chunk.octets.data();
  const char* const end = at + chunk.octets.size();
  while (at < end) {
    const auto* newline =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (newline == nullptr) newline = end;
    LineFacts facts;
    SpecialLine special;
    if (ReadLine({at, static_cast<std::size_t>(newline - at)}, key, facts, special)) {
      facts.special = static_cast<std::int32_t>(chunk.specials.size());
      chunk.specials.push_back(std::move(special));
    }
    chunk.lines.push_back(facts);
    at = newline + 1;
  }
}

}  // namespace coffer::audit
