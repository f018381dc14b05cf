#include "audit/line_chunks.h"

#include <chrono>
#include <cstring>
#include <utility>

#include "coffer/base/bytes.h"

namespace coffer::audit {
namespace {

// The number at `text`; -1 where there is none.
int ReadDigits(std::string_view text, std::size_t at, std::size_t count) {
  int number = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    number = 10 * number + (text[i] - '0');
  }
  return number;
}

// The second that a line says it was written in, since 1970; 0 where it says none. A member of the
// same name in a request's data holds a hash.
std::int64_t SecondOf(std::string_view line) {
  constexpr std::string_view kName = R"("time":")";
  constexpr std::size_t kOctets = 19;  // 2026-11-24T12:00:00
  const char* at = line.data();
  const char* const end = at + line.size();
  while (true) {
    const void* const found =
        ::memmem(at, static_cast<std::size_t>(end - at), kName.data(), kName.size());
    if (found == nullptr) return 0;
    at = static_cast<const char*>(found) + kName.size();
    if (static_cast<std::size_t>(end - at) < kOctets) return 0;
    const std::string_view text(at, kOctets);
    const int year = ReadDigits(text, 0, 4);
    const int month = ReadDigits(text, 5, 2);
    const int day = ReadDigits(text, 8, 2);
    const int hour = ReadDigits(text, 11, 2);
    const int minute = ReadDigits(text, 14, 2);
    const int second = ReadDigits(text, 17, 2);
    if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0) continue;
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    const std::chrono::sys_seconds time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                                          std::chrono::minutes(minute) +
                                          std::chrono::seconds(second);
    return time.time_since_epoch().count();
  }
}

}  // namespace

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
  facts.second = SecondOf(line);
  if (IsCheckpointLine(line)) {
    Checkpoint checkpoint;
    // A checkpoint that cannot be read counts as not signed by the key.
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
