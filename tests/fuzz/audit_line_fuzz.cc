// Anything as an audit file: the verifier's reading of it must neither crash nor take a line for
// intact that is not, and what a server redacts must stay one line of JSON.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "audit/chain_linker.h"
#include "audit/line_chunks.h"
#include "audit/redaction.h"
#include "coffer/audit/chain.h"
#include "coffer/audit/query.h"
#include "coffer/crypto/ecdsa.h"

namespace coffer::audit {
namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

const crypto::EcdsaP256Key& AnyKey() {
  static const auto key = crypto::EcdsaP256Key::FromPem(
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7\n"
      "Yfps5mliLmDyn7Z5A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==\n"
      "-----END PUBLIC KEY-----\n");
  Require(key.has_value());
  return *key;
}

// The lines as they are, then each sealed after the other: a chain whose contents are arbitrary.
void Read(std::string_view input, bool sealed_first) {
  const VerifyOptions options;
  ChainLinker linker(options);
  ChainPosition head;
  std::uint64_t number = 0;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    std::string text(line);
    if (sealed_first) {
      head = SealLine(head, text);
      text.pop_back();
    }
    LineFacts facts;
    SpecialLine special;
    const bool has_special = ReadLine(text, AnyKey(), facts, special);
    if (sealed_first) Require(facts.intact && facts.at == head);
    linker.Take(facts, has_special ? &special : nullptr, {0, ++number});
    static_cast<void>(Matches(text, {"2026", "", "a*", "", "k", "", "", true}));
  }
  const VerifyReport report = linker.Finish();
  Require(report.lines == number);
}

void Redact(std::string_view input) {
  static const SecretBytes salt{Bytes(32, 1)};
  static const ValueHasher hasher(salt);
  std::string out;
  AppendRedacted(input, {}, hasher, 1024UL * 1024, out);
  Require(out.find('\n') == std::string::npos);
}

}  // namespace
}  // namespace coffer::audit

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  coffer::audit::Read(input, false);
  coffer::audit::Read(input, true);
  coffer::audit::Redact(input);
  return 0;
}
