#include "coffer/audit/chain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "audit/json_text.h"
#include "coffer/base/base64.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kSequence = R"(,"chain":{"seq":)";
constexpr std::string_view kBefore = R"(,"prev":")";
constexpr std::string_view kHash = R"(","hash":")";
constexpr std::string_view kEnd = R"("}})";
constexpr std::size_t kHexOctets = 64;
constexpr std::size_t kTailOctets = kHash.size() + kHexOctets + kEnd.size();
constexpr std::size_t kBeforeOctets = kBefore.size() + kHexOctets;
constexpr std::size_t kMaxDigits = 20;

constexpr std::string_view kCheckpointType = R"(","type":"checkpoint","checkpoint":{"seq":)";
constexpr std::string_view kTimeMember = R"({"time":")";
constexpr std::string_view kCheckpointHash = R"(,"hash":")";
constexpr std::string_view kCheckpointKey = R"(","key":")";
constexpr std::string_view kCheckpointSignature = R"(","signature":")";
constexpr std::string_view kCheckpointEnd = R"("})";
constexpr std::string_view kSignedSchema = "coffer-audit-checkpoint-1";

constexpr std::uint8_t kNotHex = 0xff;

constexpr std::array<std::uint8_t, 256> HexValues() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotHex);
  for (std::size_t i = 0; i < 10; ++i) values['0' + i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < 6; ++i) values['a' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}
constexpr std::array<std::uint8_t, 256> kHexValues = HexValues();

bool ReadHex(std::string_view text, crypto::Sha256Digest& out) {
  if (text.size() != kHexOctets) return false;
  bool good = true;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::uint8_t high = kHexValues[static_cast<unsigned char>(text[2 * i])];
    const std::uint8_t low = kHexValues[static_cast<unsigned char>(text[2 * i + 1])];
    good = good && (high | low) <= 15;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return good;
}

bool ReadDecimal(std::string_view text, std::uint64_t& out) {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, out);
  // One spelling for each number: no leading zero.
  return error == std::errc{} && stopped == end && (text.size() == 1 || text.front() != '0');
}

// Removes `word` from the front of the text; false if it is not there.
bool Take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// Takes everything up to `word` off the front, and `word`.
bool TakeUntil(std::string_view& text, std::string_view word, std::string_view& taken) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return false;
  taken = text.substr(0, at);
  text.remove_prefix(at + word.size());
  return true;
}

void AppendField(ByteView value, Bytes& out) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value.size() >> shift));
  }
  out.insert(out.end(), value.begin(), value.end());
}

}  // namespace

LineBeginning::LineBeginning(std::string text) : text_(std::move(text)) {
  hash_.Update(AsBytes(text_));
}

HashedLine::HashedLine(std::string line) : rest_(std::move(line)) { hash_.Update(AsBytes(rest_)); }

HashedLine::HashedLine(const LineBeginning& beginning, std::string rest)
    : beginning_(beginning.text_), rest_(std::move(rest)), hash_(beginning.hash_) {
  hash_.Update(AsBytes(rest_));
}

ChainPosition HashedLine::Seal(const ChainPosition& before) {
  ChainPosition at{before.sequence + 1, {}};
  const std::size_t hashed = rest_.size();
  rest_ += kSequence;
  AppendNumber(at.sequence, rest_);
  rest_ += kBefore;
  AppendHex(before.hash, rest_);
  hash_.Update(AsBytes(rest_).subspan(hashed));
  at.hash = hash_.Finish();
  rest_ += kHash;
  AppendHex(at.hash, rest_);
  rest_ += kEnd;
  rest_ += '\n';
  return at;
}

ChainPosition SealLine(const ChainPosition& before, std::string& line) {
  HashedLine hashed(std::move(line));
  const ChainPosition at = hashed.Seal(before);
  line = hashed.Rest();
  return at;
}

bool ReadSealedLine(std::string_view line, SealedLine& sealed) {
  if (line.size() <= kTailOctets + kBeforeOctets + kSequence.size() || !line.ends_with(kEnd)) {
    return false;
  }
  const std::size_t tail = line.size() - kTailOctets;
  if (line.substr(tail, kHash.size()) != kHash ||
      !ReadHex(line.substr(tail + kHash.size(), kHexOctets), sealed.at.hash)) {
    return false;
  }
  sealed.hashed = line.substr(0, tail);
  const std::size_t before = tail - kBeforeOctets;
  if (line.substr(before, kBefore.size()) != kBefore ||
      !ReadHex(line.substr(before + kBefore.size(), kHexOctets), sealed.before)) {
    return false;
  }
  std::size_t digits = before;
  while (digits > 0 && before - digits < kMaxDigits && line[digits - 1] >= '0' &&
         line[digits - 1] <= '9') {
    --digits;
  }
  return line.substr(0, digits).ends_with(kSequence) &&
         ReadDecimal(line.substr(digits, before - digits), sealed.at.sequence);
}

std::string KeyId(ByteView public_key_der) {
  return ToHex(crypto::Sha256(public_key_der)).substr(0, 16);
}

Bytes SignedOctets(const Checkpoint& checkpoint) {
  Bytes out;
  AppendField(AsBytes(kSignedSchema), out);
  AppendField(AsBytes(checkpoint.key_id), out);
  AppendField(AsBytes(checkpoint.time), out);
  std::array<std::uint8_t, 8> sequence{};
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    sequence[i] = static_cast<std::uint8_t>(checkpoint.at.sequence >> (56 - 8 * i));
  }
  AppendField(sequence, out);
  AppendField(checkpoint.at.hash, out);
  return out;
}

std::string CheckpointLine(const Checkpoint& checkpoint) {
  std::string line(kTimeMember);
  line += checkpoint.time;
  line += kCheckpointType;
  AppendNumber(checkpoint.at.sequence, line);
  line += kCheckpointHash;
  AppendHex(checkpoint.at.hash, line);
  line += kCheckpointKey;
  line += checkpoint.key_id;
  line += kCheckpointSignature;
  line += Base64Encode(checkpoint.signature);
  line += kCheckpointEnd;
  return line;
}

bool IsCheckpointLine(std::string_view line) {
  // The time is at most 30 bytes long: nothing else of the line is looked at.
  constexpr std::size_t kHead = kTimeMember.size() + 36 + kCheckpointType.size();
  return line.substr(0, kHead).find(kCheckpointType) != std::string_view::npos;
}

bool ReadCheckpoint(std::string_view line, Checkpoint& checkpoint) {
  std::string_view time;
  std::string_view sequence;
  std::string_view hash;
  std::string_view key;
  std::string_view signature;
  if (!Take(line, kTimeMember) || !TakeUntil(line, kCheckpointType, time) ||
      !TakeUntil(line, kCheckpointHash, sequence) || !TakeUntil(line, kCheckpointKey, hash) ||
      !TakeUntil(line, kCheckpointSignature, key) || !TakeUntil(line, kCheckpointEnd, signature) ||
      !line.starts_with(kSequence)) {
    return false;
  }
  auto octets = Base64Decode(signature);
  if (!octets || !ReadDecimal(sequence, checkpoint.at.sequence) ||
      !ReadHex(hash, checkpoint.at.hash)) {
    return false;
  }
  checkpoint.time = time;
  checkpoint.key_id = key;
  checkpoint.signature = std::move(*octets);
  return true;
}

bool ReadStart(std::string_view line, StartFacts& facts) {
  constexpr std::string_view kHead = R"(","type":"system","system":{"event":"audit-)";
  constexpr std::size_t kLongest = kTimeMember.size() + 36 + kHead.size();
  if (line.substr(0, kLongest).find(kHead) == std::string_view::npos) return false;
  std::string_view skipped;
  std::string_view event;
  std::string_view known;
  std::string_view torn;
  std::string_view hash;
  if (!TakeUntil(line, kHead, skipped) || !TakeUntil(line, R"(","known_seq":")", event) ||
      (event != "started" && event != "recovered") ||
      !TakeUntil(line, R"(","known_hash":")", known) ||
      !TakeUntil(line, R"(","torn_octets":")", skipped) ||
      !TakeUntil(line, R"(","torn_sha256":")", torn) || !TakeUntil(line, R"(")", hash)) {
    return false;
  }
  facts.torn_hash = hash;
  return ReadDecimal(known, facts.known_sequence) && ReadDecimal(torn, facts.torn_octets);
}

}  // namespace coffer::audit
