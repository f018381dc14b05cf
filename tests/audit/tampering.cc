// Damages an audit file of LINES lines COUNT times, one damage at a time, and asks the verifier.
// usage: audit_tampering COUNT [LINES]
// The file is written and verified once as a file; what each line says of itself is then kept, and
// only the lines that a damage touches are read anew.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "audit/chain_linker.h"
#include "audit/line_chunks.h"
#include "coffer/audit/verifier.h"
#include "coffer/crypto/ecdsa.h"
#include "fakes/software_signer.h"
#include "fakes/temporary_directory.h"

namespace coffer::audit {
namespace {

constexpr std::uint64_t kCheckpointEvery = 1000;

struct Kept {
  std::string text;
  LineFacts facts;
  SpecialLine special;
};

// A line at its place: the damaged ones are their own, the others the file's.
struct Stretch {
  std::size_t begin = 0;  // of the file's lines
  std::size_t end = 0;
};

class Tampering {
 public:
  explicit Tampering(std::size_t lines)
      : key_(crypto::EcdsaP256Key::FromDer(signer_.PublicKey()).value()) {
    while (lines_.size() < lines) Add();
  }

  // Lines for each second; 0 where the verifier finds fault with the file.
  double VerifyFile() {
    const fakes::TemporaryDirectory directory;
    const std::filesystem::path file = directory.Path() / "audit.log";
    std::ofstream out(file, std::ios::binary);
    for (const Kept& line : lines_) out << line.text << '\n';
    out.close();
    const auto begin = std::chrono::steady_clock::now();
    const auto report = Verify(std::vector{file}, key_, {});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const bool good = report && report->Intact() && report->lines == lines_.size() &&
                      report->covered == anchor_.at.sequence;
    return good ? static_cast<double>(lines_.size()) / took.count() : 0;
  }

  // One damage; false where it was not found, or not at its line.
  bool Try() {
    const std::size_t at = Below(lines_.size() - 2 * kCheckpointEvery) + 1;
    switch (Below(5)) {
      case 0:
        return Edit(at);
      case 1:
        return Named({{0, at}, {at + 1, lines_.size()}}, {}, at, Finding::Kind::kMissing);
      case 2:
        return Swap(at, at + 1 + Below(lines_.size() - at - 1));
      case 3:
        return Insert(at);
      default:
        return Truncate(at);
    }
  }

 private:
  std::size_t Below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

  void Add() {
    const bool checkpoint = head_.sequence - anchor_.at.sequence >= kCheckpointEvery;
    std::string text;
    if (checkpoint) {
      anchor_ = {head_, "2026-11-24T12:00:00Z", KeyId(signer_.PublicKey()), {}};
      anchor_.signature = signer_.Sign(SignedOctets(anchor_));
      text = CheckpointLine(anchor_);
    } else {
      text = R"({"time":"2026-11-24T12:00:00Z","type":"request","auth":{"client_token":)"
             R"("hmac-sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},)"
             R"("request":{"id":")" +
             std::to_string(random_()) + R"(","operation":"update","path":"transit/encrypt/k"})";
    }
    head_ = SealLine(head_, text);
    text.pop_back();
    Kept kept;
    kept.text = std::move(text);
    kept.facts.special = ReadLine(kept.text, key_, kept.facts, kept.special) ? 0 : -1;
    lines_.push_back(std::move(kept));
  }

  Kept Damaged(std::string text) const {
    Kept kept;
    kept.text = std::move(text);
    kept.facts.special = ReadLine(kept.text, key_, kept.facts, kept.special) ? 0 : -1;
    return kept;
  }

  VerifyReport Link(const std::vector<Stretch>& stretches, const std::vector<Kept>& between,
                    const VerifyOptions& options) const {
    ChainLinker linker(options);
    std::uint64_t number = 0;
    const auto take = [&](const Kept& line) {
      linker.Take(line.facts, line.facts.special < 0 ? nullptr : &line.special, {0, ++number});
    };
    for (std::size_t i = 0; i < stretches.size(); ++i) {
      for (std::size_t k = stretches[i].begin; k < stretches[i].end; ++k) take(lines_[k]);
      if (i < between.size()) take(between[i]);
    }
    return linker.Finish();
  }

  bool Named(const std::vector<Stretch>& stretches, const std::vector<Kept>& between,
             std::uint64_t line, Finding::Kind kind, const VerifyOptions& options = {}) const {
    const VerifyReport report = Link(stretches, between, options);
    const bool named = std::any_of(
        report.findings.begin(), report.findings.end(),
        [&](const Finding& finding) { return finding.line == line && finding.kind == kind; });
    if (named && report.findings.size() <= 3) return true;
    std::printf("FAILED line %llu kind %d:\n", static_cast<unsigned long long>(line),
                static_cast<int>(kind));
    for (const Finding& finding : report.findings) {
      std::printf("  %llu %d %s\n", static_cast<unsigned long long>(finding.line),
                  static_cast<int>(finding.kind), finding.text.c_str());
    }
    return false;
  }

  bool Edit(std::size_t at) {
    std::string text = lines_[at].text;
    char& octet = text[Below(text.size())];
    octet = static_cast<char>(octet ^ static_cast<char>(1 + Below(255)));
    return Named({{0, at}, {at + 1, lines_.size()}}, {Damaged(std::move(text))}, at + 1,
                 Finding::Kind::kEdited);
  }

  bool Swap(std::size_t a, std::size_t b) {
    return Named({{0, a}, {a + 1, b}, {b + 1, lines_.size()}}, {lines_[b], lines_[a]}, a + 1,
                 Finding::Kind::kOutOfOrder);
  }

  bool Insert(std::size_t at) {
    const std::size_t source = Below(lines_.size());
    const bool garbage = Below(2) == 0;
    Kept line = garbage ? Damaged("{\"time\":\"x\"}") : lines_[source];
    // Beside its own copy the second is the one too many.
    const std::uint64_t number = !garbage && source == at ? at + 2 : at + 1;
    return Named({{0, at}, {at, lines_.size()}}, {std::move(line)}, number,
                 Finding::Kind::kInserted);
  }

  // Cuts off the beginning, or the end after a checkpoint that the verifier was given.
  bool Truncate(std::size_t at) {
    if (Below(2) == 0) {
      return Named({{at, lines_.size()}}, {}, 0, Finding::Kind::kMissing);
    }
    VerifyOptions options;
    options.anchor = anchor_;
    return Named({{0, at}}, {}, at, Finding::Kind::kMissing, options);
  }

  fakes::SoftwareSigner signer_;
  crypto::EcdsaP256Key key_;
  std::mt19937_64 random_{20261124};
  ChainPosition head_;
  Checkpoint anchor_;
  std::vector<Kept> lines_;
};

}  // namespace
}  // namespace coffer::audit

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 0;
  const int lines = argc > 2 ? std::atoi(argv[2]) : 1'000'000;
  if (count < 1 || lines < 5000) return 2;
  coffer::audit::Tampering tampering(static_cast<std::size_t>(lines));
  const double rate = tampering.VerifyFile();
  std::printf("%d lines, verified at %.0f lines a second\n", lines, rate);
  int failed = rate > 0 ? 0 : 1;
  for (int i = 0; i < count; ++i) failed += tampering.Try() ? 0 : 1;
  std::printf("%d passed, %d failed, 0 skipped\n", count - failed, failed);
  return failed == 0 ? 0 : 1;
}
