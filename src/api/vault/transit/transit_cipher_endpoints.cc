#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/endpoint.h"
#include "api/vault/envelope.h"
#include "api/vault/errors.h"
#include "api/vault/transit/batch_cost.h"
#include "api/vault/transit/batch_items.h"
#include "api/vault/transit/batch_work.h"
#include "api/vault/transit/ciphertext.h"
#include "api/vault/transit/ignored_inputs.h"
#include "api/vault/transit/transit_call.h"
#include "api/vault/transit/transit_endpoints.h"
#include "api/vault/transit/transit_fields.h"
#include "api/vault/transit/transit_upsert.h"
#include "coffer/base/base64.h"

namespace coffer::api {
namespace {

// An upper bound of the text around a payload on the wire.
constexpr std::size_t kItemOverhead = 96;

using SealedText = Result<transit::Ciphertext>;
using Sealed = transit::Engine::Encrypted;
using Opened = transit::Engine::Decrypted;

void WriteSealed(const transit::Ciphertext& ciphertext, JsonWriter& json) {
  json.Key("ciphertext").Base64(ciphertext.payload, CiphertextPrefix(ciphertext.version));
  json.Key("key_version").Int(ciphertext.version);
}

std::optional<std::int64_t> PartialFailureCode(const Call& call) {
  if (!call.fields.Has("partial_failure_response_code")) return std::nullopt;
  return call.fields.Int("partial_failure_response_code");
}

// The answer to encrypt and rewrap. A batch's items carry their own errors.
Status AnswerSealed(const CipherInputs& inputs, const std::vector<SealedText>& results,
                    BatchTally& tally, Reply& reply) {
  if (!inputs.is_batch) {
    if (!results.front()) return Fail(results.front().error());
    const transit::Ciphertext& only = *results.front();
    reply.json.Reserve(Base64EncodedSize(only.payload.size()) + kItemOverhead + kEnvelopeSize);
    reply.json.BeginObject();
    WriteSealed(only, reply.json);
    reply.json.EndObject();
    return {};
  }
  std::size_t size = kEnvelopeSize;
  for (std::size_t i = 0; i < results.size(); ++i) {
    size += kItemOverhead + inputs.items[i].reference.size();
    if (results[i]) size += Base64EncodedSize(results[i]->payload.size());
  }
  reply.json.Reserve(size);
  reply.json.BeginObject().Key("batch_results").BeginArray();
  for (std::size_t i = 0; i < results.size(); ++i) {
    reply.json.BeginObject();
    if (results[i]) {
      WriteSealed(*results[i], reply.json);
      ++tally.succeeded;
    } else {
      reply.json.Key("error").Text(ClientText(results[i].error()));
      tally.Count(results[i].error());
    }
    reply.json.Key("reference").Text(inputs.items[i].reference).EndObject();
  }
  reply.json.EndArray().EndObject();
  return {};
}

void SetBatchStatus(const Call& call, const BatchTally& tally, Reply& reply) {
  std::string warning;
  reply.status = tally.Status(PartialFailureCode(call), warning);
  if (!warning.empty()) reply.warnings.push_back(std::move(warning));
}

bool KeyExists(const Call& call) {
  const auto target = TargetOf(call);
  // An error does not mean that the key is absent: the engine looks it up again and reports it.
  return !target || target->Exists();
}

// True if the key came back from an older database: it is rotated before it encrypts again.
bool RotationComesFirst(const Call& call) {
  const auto target = TargetOf(call);
  return target && target->MustRotate();
}

// True if encrypting changes keys: an absent key is made, and one that came back from an older
// database is rotated first.
bool EncryptionChangesKeys(const Call& call) {
  const auto target = TargetOf(call);
  return target && target->ChangesKeys();
}

// The key that encrypt makes if it is absent and the caller may create it.
Result<std::optional<keyring::CreateOptions>> Upsert(const Call& call, const CipherInputs& inputs) {
  if (call.capability != Capability::kCreate || UpsertDisabled(call.mount->config)) {
    return std::optional<keyring::CreateOptions>();
  }
  keyring::CreateOptions options;
  options.derived = !inputs.items.front().context.empty();
  options.convergent = call.fields.Bool("convergent_encryption");
  if (options.convergent && !options.derived) {
    return Fail(Code::kInvalid,
                "convergent encryption requires derivation to be enabled, so context is required");
  }
  const std::string_view name = call.fields.Text("type");
  COFFER_ASSIGN(options.type, keyring::ParseKeyType(name));
  const keyring::KeyTypeInfo& info = keyring::InfoOf(options.type);
  if (!info.encrypts || info.Asymmetric()) {
    return Fail(Code::kInvalid,
                "key type " + std::string(name) + " not supported for this operation");
  }
  return std::optional(options);
}

// Refuses every padding but OAEP: a client that sees many failures of PKCS#1 v1.5 can decrypt with
// them (Bleichenbacher, 1998).
Status CheckPadding(const Call& call) {
  const std::string_view scheme = call.fields.Text("padding_scheme");
  if (scheme.empty() || scheme == "oaep") return {};
  return Fail(Code::kInvalid, "padding_scheme " + std::string(scheme) +
                                  " is not supported: RSA keys encrypt with oaep only");
}

Status Encrypt(const Call& call, Reply& reply) {
  COFFER_ASSIGN(CipherInputs inputs, ReadCipherInputs(call.fields, "plaintext", "encrypt"));
  WarnOfIgnored(call, inputs, reply);
  COFFER_TRY(CheckPadding(call));
  COFFER_ASSIGN(const auto upsert, Upsert(call, inputs));
  auto decoded =
      DecodeInputs<transit::PlaintextItem, transit::Ciphertext>(inputs.items, ToPlaintextItem);
  const auto seal = [&call, upsert](std::span<transit::PlaintextItem> items) -> Sealed {
    // A request without one good item must not make a key.
    if (items.empty()) return std::vector<SealedText>();
    const auto target = TakeTarget(call);
    return EngineOf(call).Encrypt(CallerOf(call), call.fields.Text("name"), items, upsert,
                                  target ? &*target : nullptr);
  };
  auto answer = [&call, &reply,
                 inputs = std::move(inputs)](const std::vector<SealedText>& results) -> Status {
    BatchTally tally;
    COFFER_TRY(AnswerSealed(inputs, results, tally, reply));
    if (inputs.is_batch) SetBatchStatus(call, tally, reply);
    return {};
  };
  return CarryOut(call, reply, std::move(decoded), seal, std::move(answer));
}

void WriteOpened(const CipherInputs& inputs, const std::vector<Result<SecretBytes>>& results,
                 BatchTally& tally, JsonWriter& json) {
  json.BeginObject().Key("batch_results").BeginArray();
  for (std::size_t i = 0; i < results.size(); ++i) {
    json.BeginObject().Key("plaintext");
    if (results[i]) {
      json.Base64(results[i]->Reveal());
      ++tally.succeeded;
    } else {
      json.Text("").Key("error").Text(ClientText(results[i].error()));
      tally.Count(results[i].error());
    }
    json.Key("reference").Text(inputs.items[i].reference).EndObject();
  }
  json.EndArray().EndObject();
}

// The size of the whole answer, which is reserved at once so that no part of a plaintext stays in
// freed memory.
std::size_t OpenedSize(const CipherInputs& inputs,
                       const std::vector<Result<SecretBytes>>& results) {
  std::size_t size = 4 * kEnvelopeSize;
  for (std::size_t i = 0; i < results.size(); ++i) {
    // An escaped byte takes at most six.
    size += kItemOverhead + 6 * inputs.items[i].reference.size();
    size += results[i] ? Base64EncodedSize(results[i]->size())
                       : 6 * ClientText(results[i].error()).size();
  }
  return size;
}

Status AnswerOpened(const Call& call, const CipherInputs& inputs,
                    const std::vector<Result<SecretBytes>>& results, Reply& reply) {
  if (!inputs.is_batch && !results.front()) return Fail(results.front().error());
  reply.secret = true;
  reply.json.Reserve(OpenedSize(inputs, results));
  if (!inputs.is_batch) {
    reply.json.BeginObject().Key("plaintext").Base64(results.front()->Reveal()).EndObject();
    return {};
  }
  BatchTally tally;
  WriteOpened(inputs, results, tally, reply.json);
  SetBatchStatus(call, tally, reply);
  return {};
}

Status Decrypt(const Call& call, Reply& reply) {
  COFFER_ASSIGN(CipherInputs inputs, ReadCipherInputs(call.fields, "ciphertext", "decrypt"));
  WarnOfIgnored(call, inputs, reply);
  COFFER_TRY(CheckPadding(call));
  auto decoded = DecodeInputs<transit::CiphertextItem, SecretBytes>(inputs.items, ToCiphertextItem);
  const auto open = [&call](std::span<const transit::CiphertextItem> items) -> Opened {
    if (items.empty()) return std::vector<Result<SecretBytes>>();
    return EngineOf(call).Decrypt(CallerOf(call), call.fields.Text("name"), items);
  };
  auto answer = [&call, &reply,
                 inputs = std::move(inputs)](const std::vector<Result<SecretBytes>>& results) {
    return AnswerOpened(call, inputs, results, reply);
  };
  return CarryOut(call, reply, std::move(decoded), open, std::move(answer));
}

Status AnswerRewrapped(const Call& call, const CipherInputs& inputs,
                       const std::vector<SealedText>& results, Reply& reply) {
  BatchTally tally;
  COFFER_TRY(AnswerSealed(inputs, results, tally, reply));
  if (!inputs.is_batch) return {};
  if (tally.failed > 0) return Fail(Code::kInternal, "", "rewrap failed for an item of a batch");
  // Refused items leave the status at 200, as in Vault. That a rewrap takes
  // partial_failure_response_code is this server's addition.
  if (PartialFailureCode(call)) SetBatchStatus(call, tally, reply);
  return {};
}

Status Rewrap(const Call& call, Reply& reply) {
  COFFER_ASSIGN(CipherInputs inputs,
                ReadCipherInputs(call.fields, "ciphertext", "decrypt", Lacking::kFailsItem));
  WarnOfIgnored(call, inputs, reply);
  auto decoded =
      DecodeInputs<transit::CiphertextItem, transit::Ciphertext>(inputs.items, ToCiphertextItem);
  const auto rewrap = [&call](std::span<const transit::CiphertextItem> items) -> Sealed {
    if (items.empty()) return std::vector<SealedText>();
    return EngineOf(call).Rewrap(CallerOf(call), call.fields.Text("name"), items,
                                 call.fields.Bool("skip_current"));
  };
  auto answer = [&call, &reply,
                 inputs = std::move(inputs)](const std::vector<SealedText>& results) {
    return AnswerRewrapped(call, inputs, results, reply);
  };
  return CarryOut(call, reply, std::move(decoded), rewrap, std::move(answer));
}

Status GenerateDataKey(const Call& call, Reply& reply) {
  const std::string_view kind = call.fields.Text("kind");
  if (kind != "plaintext" && kind != "wrapped") {
    return Fail(Code::kInvalid, "Invalid path, must be 'plaintext' or 'wrapped'");
  }
  if (!call.fields.Text("nonce").empty()) {
    return Fail(Code::kInvalid, "nonce provided when not allowed");
  }
  COFFER_TRY(CheckPadding(call));
  const auto context = Base64Decode(call.fields.Text("context"));
  if (!context) return Fail(Code::kInvalid, "failed to base64-decode context");
  if (!context->empty()) WarnOfContext(call, reply);
  COFFER_ASSIGN(const Bytes associated_data, Base64Decode(call.fields.Text("associated_data")));
  COFFER_ASSIGN(const transit::DataKey key,
                EngineOf(call).GenerateDataKey(
                    CallerOf(call), call.fields.Text("name"), call.fields.Int("bits"),
                    call.fields.Int("key_version"), associated_data, *context));
  reply.json.Reserve(4 * kEnvelopeSize);
  reply.json.BeginObject();
  WriteSealed(key.ciphertext, reply.json);
  if (kind == "plaintext") {
    reply.secret = true;
    reply.json.Key("plaintext").Base64(key.plaintext.Reveal());
  }
  reply.json.EndObject();
  return {};
}

}  // namespace

void AddTransitCipherEndpoints(std::vector<Endpoint>& table) {
  Endpoint encrypt{"encrypt/:name", "Encrypts, making the key where there is none.", {}, {}};
  encrypt.fields = {
      kName,
      {"plaintext", FieldType::kText, "", "Base64 of the message.", true},
      kContext,
      kNonce,
      kAssociated,
      kVersion,
      {"type", FieldType::kText, "aes256-gcm96", "The type of a key made here.", false, true},
      {"convergent_encryption", FieldType::kBool, "false",
       "Whether a key made here is convergent; needs a context."},
      kPadding,
      kPartial,
      kBatch};
  encrypt.operations = {
      {Verb::kWrite, Capability::kUpdate, Encrypt, false, EncryptionChangesKeys, CostOfItems}};
  encrypt.exists = KeyExists;
  encrypt.keeps_state = true;
  table.push_back(std::move(encrypt));

  Endpoint decrypt{"decrypt/:name", "Decrypts.", {}, {}};
  decrypt.fields = {kName,    kCiphertext, kContext, kNonce, kAssociated,
                    kVersion, kPadding,    kPartial, kBatch};
  decrypt.operations = {
      {Verb::kWrite, Capability::kUpdate, Decrypt, false, nullptr, CostOfPrivateKeyItems}};
  decrypt.keeps_state = true;
  table.push_back(std::move(decrypt));

  Endpoint rewrap{"rewrap/:name", "Encrypts anew under another version.", {}, {}};
  rewrap.fields = {kName,
                   kCiphertext,
                   kContext,
                   kNonce,
                   kAssociated,
                   kVersion,
                   {"skip_current", FieldType::kBool, "false",
                    "Leaves a ciphertext of the wanted version as it is."},
                   kPartial,
                   kBatch};
  rewrap.operations = {{Verb::kWrite, Capability::kUpdate, Rewrap, false, RotationComesFirst,
                        CostOfPrivateKeyItems}};
  rewrap.keeps_state = true;
  table.push_back(std::move(rewrap));

  Endpoint datakey{"datakey/=kind/:name", "A new data key, encrypted under the key.", {}, {}};
  datakey.fields = {kName,
                    {"kind", FieldType::kText, "", "plaintext or wrapped."},
                    {"bits", FieldType::kInt, "256", "128, 256 or 512."},
                    kContext,
                    kNonce,
                    kVersion,
                    kPadding,
                    kAssociated};
  datakey.operations = {
      {Verb::kWrite, Capability::kUpdate, GenerateDataKey, false, RotationComesFirst}};
  datakey.keeps_state = true;
  table.push_back(std::move(datakey));
}

}  // namespace coffer::api
