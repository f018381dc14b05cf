#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/chain_linker.h"
#include "audit/line_chunks.h"
#include "coffer/audit/chain.h"
#include "coffer/crypto/ecdsa.h"
#include "fakes/software_signer.h"

namespace coffer::audit {

// A chain of entries with checkpoints, as a device would have written it.
class ChainBuilder {
 public:
  explicit ChainBuilder(std::uint64_t checkpoint_every = 100, std::size_t padding = 40)
      : checkpoint_every_(checkpoint_every), padding_(padding) {}

  void Entry() {
    UnsignedEntry();
    if (head_.sequence - signed_ >= checkpoint_every_) Sign();
  }
  void UnsignedEntry(const std::string& time = "2026-11-24T12:00:00Z") {
    Seal(R"({"auth":{},"request":{"id":")" + std::to_string(head_.sequence) +
         R"(","data":{"time":"hmac-sha256:00"}},"time":")" + time + R"(","filling":")" +
         std::string(padding_, 'x') + "\"");
  }
  void Entries(std::uint64_t upto) {
    while (head_.sequence < upto) Entry();
  }
  void Sign() {
    Checkpoint checkpoint{head_, "2026-11-24T12:00:00Z", KeyId(signer_.PublicKey()), {}};
    checkpoint.signature = signer_.Sign(SignedOctets(checkpoint));
    signed_ = head_.sequence;
    last_checkpoint_ = checkpoint;
    Seal(CheckpointLine(checkpoint));
  }
  void Start(std::uint64_t known, std::uint64_t torn, const std::string& torn_hash = "") {
    Seal(R"({"time":"2026-11-24T12:00:00Z","type":"system","system":{"event":"audit-started",)"
         R"("known_seq":")" +
         std::to_string(known) + R"(","known_hash":"00","torn_octets":")" + std::to_string(torn) +
         R"(","torn_sha256":")" + torn_hash + R"("})");
  }
  // A line as it stands, without a chain.
  void Raw(std::string open_line) { Seal(std::move(open_line)); }
  void Restart() {
    head_ = {};
    signed_ = 0;
  }

  // The lines, without newlines.
  std::vector<std::string>& Lines() { return lines_; }
  const ChainPosition& Head() const { return head_; }
  const Checkpoint& LastCheckpoint() const { return last_checkpoint_; }
  crypto::EcdsaP256Key Key() const {
    return crypto::EcdsaP256Key::FromDer(signer_.PublicKey()).value();
  }

  static VerifyReport Check(const std::vector<std::string>& lines, const crypto::EcdsaP256Key& key,
                            const VerifyOptions& options = {}) {
    ChainLinker linker(options);
    std::uint64_t number = 0;
    for (const std::string& line : lines) {
      LineFacts facts;
      SpecialLine special;
      const bool has_special = ReadLine(line, key, facts, special);
      linker.Take(facts, has_special ? &special : nullptr, {0, ++number});
    }
    return linker.Finish();
  }

 private:
  void Seal(std::string line) {
    head_ = SealLine(head_, line);
    line.pop_back();
    lines_.push_back(std::move(line));
  }

  const std::uint64_t checkpoint_every_;
  const std::size_t padding_;
  fakes::SoftwareSigner signer_;
  ChainPosition head_;
  std::uint64_t signed_ = 0;
  Checkpoint last_checkpoint_;
  std::vector<std::string> lines_;
};

// The entry of a line with another content and a hash to match.
inline std::string Forge(const std::string& line, std::string_view from, std::string_view to) {
  SealedLine sealed;
  ReadSealedLine(line, sealed);
  std::string open = line.substr(0, line.find(R"(,"chain":{"seq":)"));
  open.replace(open.find(from), from.size(), to);
  SealLine({sealed.at.sequence - 1, sealed.before}, open);
  open.pop_back();
  return open;
}

}  // namespace coffer::audit
