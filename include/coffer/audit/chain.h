#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/clock.h"
#include "coffer/crypto/digest.h"

namespace coffer::audit {

// A place in a device's chain of entries: the number of an entry, from 1, and its hash. Number 0
// with a hash of zeros is the place before the first.
struct ChainPosition {
  std::uint64_t sequence = 0;
  crypto::Sha256Digest hash{};
  friend bool operator==(const ChainPosition&, const ChainPosition&) = default;
};

// Appends the chain, the closing brace and a newline to `line`, an entry without its closing brace
// (docs/formats.md). Returns its place.
ChainPosition SealLine(const ChainPosition& before, std::string& line);

// A beginning that several lines have in common, hashed once. Immutable.
class LineBeginning {
 public:
  explicit LineBeginning(std::string text);
  const std::string& Text() const { return text_; }

 private:
  friend class HashedLine;
  std::string text_;
  crypto::Sha256Stream hash_;
};

// The same in two steps: most of the hashing is done before the line's place is known, so that
// the lock under which places are given is held for the chain's own octets only.
class HashedLine {
 public:
  explicit HashedLine(std::string line);
  // The line is beginning.Text() and `rest`; `beginning` must outlive it.
  HashedLine(const LineBeginning& beginning, std::string rest);
  HashedLine(LineBeginning&&, std::string) = delete;
  // Once. The sealed line is Beginning() and Rest().
  ChainPosition Seal(const ChainPosition& before);
  std::string_view Beginning() const { return beginning_; }
  const std::string& Rest() const { return rest_; }
  std::size_t Octets() const { return beginning_.size() + rest_.size(); }

 private:
  std::string_view beginning_;
  std::string rest_;
  crypto::Sha256Stream hash_;
};

// The chain at the end of a line, read without looking at the rest.
struct SealedLine {
  ChainPosition at;
  crypto::Sha256Digest before{};  // the hash of the entry before it
  std::string_view hashed;        // what `at.hash` is the SHA-256 of
  bool Intact() const { return crypto::Sha256(AsBytes(hashed)) == at.hash; }
};
// False where the line (without its newline) does not end like one of ours.
bool ReadSealedLine(std::string_view line, SealedLine& sealed);

// A statement that the chain stood at `at`, signed in the token (docs/formats.md).
struct Checkpoint {
  ChainPosition at;
  std::string time;    // RFC 3339
  std::string key_id;  // 16 hexadecimal digits of the SHA-256 of the public key's DER
  Bytes signature;     // r || s
};
std::string KeyId(ByteView public_key_der);
// Returns the bytes that the signature covers.
Bytes SignedOctets(const Checkpoint& checkpoint);
// The open line of a checkpoint, to be sealed.
std::string CheckpointLine(const Checkpoint& checkpoint);
bool IsCheckpointLine(std::string_view line);
// False where it is not what CheckpointLine() writes.
bool ReadCheckpoint(std::string_view line, Checkpoint& checkpoint);

// The facts in the first entry of a run of the server, or of a device that recovered.
struct StartFacts {
  std::uint64_t known_sequence = 0;  // of the last entry that the chain was known to have reached
  std::uint64_t torn_octets = 0;     // what a crash or a fault had left behind the last line
  std::string torn_hash;             // of these, SHA-256 in hexadecimal
};
// False where the line is not of this kind.
bool ReadStart(std::string_view line, StartFacts& facts);

}  // namespace coffer::audit
