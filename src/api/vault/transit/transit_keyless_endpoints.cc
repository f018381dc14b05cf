#include <string>
#include <utility>

#include "api/endpoint.h"
#include "api/vault/errors.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "coffer/base/base64.h"
#include "coffer/base/parse.h"
#include "coffer/crypto/digest.h"

namespace coffer::api {
namespace {

Result<bool> WantsHex(const Call& call) {
  const std::string_view format = call.fields.Text("format");
  if (format == "hex") return true;
  if (format == "base64") return false;
  return Fail(Code::kInvalid, "unsupported encoding format " + std::string(format) +
                                  R"(; must be "hex" or "base64")");
}

Result<transit::RandomSource> SourceOf(std::string_view text) {
  if (text.empty() || text == "platform") return transit::RandomSource::kPlatform;
  if (text == "seal") return transit::RandomSource::kSeal;
  if (text == "all") return transit::RandomSource::kAll;
  return Fail(Code::kInvalid, "unsupported entropy source \"" + std::string(text) +
                                  R"("; must be "platform", "seal" or "all")");
}

// random/64 names a count, random/seal a source, random/seal/64 both.
Status WriteRandom(const Call& call, Reply& reply) {
  std::string_view source = call.fields.Text("source");
  std::string_view count_text = call.fields.Text("urlbytes");
  if (count_text.empty() && ParseInt64(source)) {
    count_text = source;
    source = "platform";
  }
  std::int64_t count = call.fields.Int("bytes");
  if (!count_text.empty()) {
    const auto parsed = ParseInt64(count_text);
    if (!parsed) return Fail(Code::kInvalid, "error parsing url-set byte count: not an integer");
    count = *parsed;
  }
  COFFER_ASSIGN(const transit::RandomSource from, SourceOf(source));
  COFFER_ASSIGN(const bool hex, WantsHex(call));
  COFFER_ASSIGN(const SecretBytes bytes, EngineOf(call).RandomBytes(CallerOf(call), from, count));
  reply.secret = true;
  reply.json.Reserve(2 * bytes.size() + 1024);
  reply.json.BeginObject().Key("random_bytes");
  if (hex) {
    std::string text = ToHex(bytes.Reveal());
    reply.json.Text(text);
    SecureWipe(text.data(), text.size());
  } else {
    reply.json.Base64(bytes.Reveal());
  }
  reply.json.EndObject();
  return {};
}

Status WriteHash(const Call& call, Reply& reply) {
  if (!call.fields.Given("input")) return Fail(Code::kInvalid, "input missing");
  auto decoded = Base64Decode(call.fields.Text("input"));
  if (!decoded) {
    return Fail(Code::kInvalid, "unable to decode input as base64: " + ClientText(decoded.error()));
  }
  const SecretBytes input(std::move(*decoded));
  std::string_view name = call.fields.Text("urlalgorithm");
  if (name.empty()) name = call.fields.Text("algorithm");
  const auto algorithm = crypto::ParseHashAlgorithm(name);
  if (!algorithm || *algorithm == crypto::HashAlgorithm::kSha1) {
    return Fail(Code::kInvalid, "unsupported algorithm " + std::string(name));
  }
  COFFER_ASSIGN(const bool hex, WantsHex(call));
  const Bytes sum = crypto::Hash(*algorithm, input.Reveal());
  reply.json.BeginObject().Key("sum");
  if (hex) {
    reply.json.Text(ToHex(sum));
  } else {
    reply.json.Base64(sum);
  }
  reply.json.EndObject();
  return {};
}

Endpoint RandomEndpoint(std::string_view pattern) {
  Endpoint random{pattern, "Random bytes.", {}, {}};
  random.fields = {
      {"bytes", FieldType::kInt, "32", "How many bytes, 1 to 131072."},
      {"source", FieldType::kText, "platform", "platform, seal (the token) or all (both)."},
      {"urlbytes", FieldType::kText, "", "As bytes; stands above it."},
      {"format", FieldType::kText, "base64", "base64 or hex."}};
  random.operations = {{Verb::kWrite, Capability::kUpdate, WriteRandom}};
  random.keeps_state = true;
  return random;
}

Endpoint HashEndpoint(std::string_view pattern) {
  Endpoint hash{pattern, "The digest of an input.", {}, {}};
  hash.fields = {{"input", FieldType::kText, "", "Base64 of what to hash.", true},
                 {"algorithm", FieldType::kText, "sha2-256", "sha2-224 to sha3-512."},
                 {"urlalgorithm", FieldType::kText, "", "As algorithm; stands above it."},
                 {"format", FieldType::kText, "hex", "hex or base64."}};
  hash.operations = {{Verb::kWrite, Capability::kUpdate, WriteHash}};
  hash.keeps_state = true;
  return hash;
}

}  // namespace

void AddTransitKeylessEndpoints(std::vector<Endpoint>& table) {
  table.push_back(RandomEndpoint("random"));
  table.push_back(RandomEndpoint("random/:source"));
  table.push_back(RandomEndpoint("random/:source/=urlbytes"));
  table.push_back(HashEndpoint("hash"));
  table.push_back(HashEndpoint("hash/:urlalgorithm"));
}

}  // namespace coffer::api
