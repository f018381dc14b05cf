#pragma once

// The hash chain that ties the lines of an audit file together, and the checkpoints that are signed
// over it (docs/formats.md). The devices write it and the verifier reads it. Nobody owns anything
// here: plain values and functions, for any thread. A line that cannot be read is no error but
// `false`.
// Example: `position = SealLine(position, line);` makes `line` the next entry of the chain.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/clock.h"
#include "coffer/crypto/digest.h"

namespace coffer::audit {

// A place in the chain of a device: the number of an entry, from 1, and its hash. Number 0 with a
// hash of zeros is the place before the first entry.
struct ChainPosition {
  std::uint64_t sequence = 0;
  crypto::Sha256Digest hash{};
  friend bool operator==(const ChainPosition&, const ChainPosition&) = default;
};

// Makes `line`, an entry without its closing brace, the entry after `before`: appends the members
// of the chain, the closing brace and a newline (docs/formats.md). Returns the place of the new
// entry.
ChainPosition SealLine(const ChainPosition& before, std::string& line);

// The common beginning of several lines, which is hashed once. Immutable.
class LineBeginning {
 public:
  explicit LineBeginning(std::string text);
  const std::string& Text() const { return text_; }

 private:
  friend class HashedLine;
  std::string text_;
  crypto::Sha256Stream hash_;
};

// Does the same as SealLine() in two steps. Most of the hashing is done before the place of the
// line is known, so that the lock under which places are given out is held only while the members
// of the chain are hashed.
class HashedLine {
 public:
  explicit HashedLine(std::string line);
  // The line is beginning.Text() followed by `rest`; `beginning` must outlive this object.
  HashedLine(const LineBeginning& beginning, std::string rest);
  HashedLine(LineBeginning&&, std::string) = delete;
  // To be called once. The sealed line is then Beginning() followed by Rest().
  ChainPosition Seal(const ChainPosition& before);
  std::string_view Beginning() const { return beginning_; }
  const std::string& Rest() const { return rest_; }
  std::size_t Octets() const { return beginning_.size() + rest_.size(); }

 private:
  std::string_view beginning_;
  std::string rest_;
  crypto::Sha256Stream hash_;
};

// The members of the chain at the end of a line, read without looking at the rest of it.
struct SealedLine {
  ChainPosition at;
  crypto::Sha256Digest before{};  // the hash of the entry before it
  std::string_view hashed;        // the text whose SHA-256 is `at.hash`
  bool Intact() const { return crypto::Sha256(AsBytes(hashed)) == at.hash; }
};
// Reads the chain of a line without its newline. False if the line does not end like one that
// SealLine() made.
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
// The line of a checkpoint, still to be sealed.
std::string CheckpointLine(const Checkpoint& checkpoint);
bool IsCheckpointLine(std::string_view line);
// False if the line is not one that CheckpointLine() wrote.
bool ReadCheckpoint(std::string_view line, Checkpoint& checkpoint);

// The facts in the first entry of a run of the server, or of a device that recovered.
struct StartFacts {
  std::uint64_t known_sequence = 0;  // the last entry that the chain had surely reached
  std::uint64_t torn_octets = 0;     // bytes that a crash or a fault left after the last line
  std::string torn_hash;             // SHA-256 of these bytes, in hexadecimal
};
// False if the line is not such an entry.
bool ReadStart(std::string_view line, StartFacts& facts);

}  // namespace coffer::audit
