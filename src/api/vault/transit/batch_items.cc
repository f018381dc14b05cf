#include "api/vault/transit/batch_items.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "api/vault/errors.h"
#include "api/vault/transit/ciphertext.h"
#include "coffer/base/base64.h"

namespace coffer::api {
namespace {

auto BatchError(std::size_t index, std::string_view field, std::string_view why) {
  return Fail(Code::kInvalid, "failed to parse batch input: '[" + std::to_string(index) + "]." +
                                  std::string(field) + "' " + std::string(why));
}

// The names of all operations are known to each of them, because programs build items for several.
constexpr std::array<std::string_view, 7> kBatchItemFields{
    "plaintext", "ciphertext", "context", "associated_data", "key_version", "reference", "nonce"};

Result<CipherInput> ReadItem(const JsonValue& item, std::size_t index, std::string_view text_field,
                             std::string_view operation, Lacking lacking) {
  COFFER_TRY(RequireObject(item, index));
  if (lacking == Lacking::kFailsRequest && item.Find(text_field) == nullptr) {
    return BatchError(index, text_field,
                      "missing " + std::string(text_field) + " to " + std::string(operation));
  }
  CipherInput input;
  COFFER_ASSIGN(input.text, TextMember(item, index, text_field));
  COFFER_ASSIGN(input.associated_data, TextMember(item, index, "associated_data"));
  COFFER_ASSIGN(input.context, TextMember(item, index, "context"));
  COFFER_ASSIGN(input.nonce, TextMember(item, index, "nonce"));
  COFFER_ASSIGN(input.reference, TextMember(item, index, "reference"));
  const JsonValue* const version = item.Find("key_version");
  if (version != nullptr && !version->IsNull()) {
    const auto number = ConvertField(FieldType::kInt, *version);
    if (!number) return BatchError(index, "key_version", "expected type 'int'");
    input.key_version = *number->As<std::int64_t>();
  }
  return input;
}

Result<Bytes> AssociatedData(const CipherInput& input) {
  if (input.associated_data.empty()) return Bytes();
  return Base64Decode(input.associated_data);
}

Result<Bytes> Context(const CipherInput& input) {
  if (!input.nonce.empty()) return Fail(Code::kInvalid, "nonce provided when not allowed");
  if (input.context.empty()) return Bytes();
  return Base64Decode(input.context);
}

}  // namespace

void UnknownNames::Note(const JsonValue& item, std::span<const std::string_view> known) {
  for (const JsonValue::Member& member : *item.As<JsonValue::Object>()) {
    if (std::ranges::find(known, member.name) == known.end()) names_.Add(member.name);
  }
}

void UnknownNames::Warn(std::vector<std::string>& warnings) const {
  if (names_.Empty()) return;
  warnings.push_back("Endpoint ignored these unrecognized parameters in items of batch_input: " +
                     names_.Text());
}

Result<std::string_view> TextMember(const JsonValue& item, std::size_t index,
                                    std::string_view field) {
  const JsonValue* const value = item.Find(field);
  if (value == nullptr || value->IsNull()) return std::string_view();
  const auto* text = value->As<std::string>();
  if (text == nullptr) return BatchError(index, field, "expected type 'string'");
  return std::string_view(*text);
}

Status RequireObject(const JsonValue& item, std::size_t index) {
  if (item.As<JsonValue::Object>() != nullptr) return {};
  return Fail(Code::kInvalid,
              "failed to parse batch input: '[" + std::to_string(index) + "]' expected a map");
}

Result<CipherInputs> ReadCipherInputs(const Fields& fields, std::string_view text_field,
                                      std::string_view operation, Lacking lacking) {
  CipherInputs inputs;
  const JsonValue* const batch = fields.Find("batch_input");
  if (batch == nullptr) {
    const bool given = fields.Given(text_field);
    if (!given || (text_field == "ciphertext" && fields.Text(text_field).empty())) {
      return Fail(Code::kInvalid,
                  "missing " + std::string(text_field) + " to " + std::string(operation));
    }
    inputs.items.push_back({fields.Text(text_field),
                            fields.Text("associated_data"),
                            fields.Text("context"),
                            fields.Text("nonce"),
                            {},
                            fields.Int("key_version")});
    return inputs;
  }
  inputs.is_batch = true;
  const auto& array = *batch->As<JsonValue::Array>();
  if (array.empty()) return Fail(Code::kInvalid, "missing batch input to process");
  inputs.items.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    COFFER_ASSIGN(inputs.items.emplace_back(),
                  ReadItem(array[i], i, text_field, operation, lacking));
    inputs.unknown.Note(array[i], kBatchItemFields);
    if (inputs.items[i].context.empty() != inputs.items[0].context.empty()) {
      return Fail(Code::kInvalid,
                  "context should be set either in all the request blocks or in none");
    }
  }
  return inputs;
}

Result<transit::PlaintextItem> ToPlaintextItem(const CipherInput& input) {
  transit::PlaintextItem item;
  COFFER_ASSIGN(item.context, Context(input));
  item.key_version = input.key_version;
  COFFER_ASSIGN(Bytes plaintext, Base64Decode(input.text));
  item.plaintext = SecretBytes(std::move(plaintext));
  COFFER_ASSIGN(item.associated_data, AssociatedData(input));
  return item;
}

Result<transit::CiphertextItem> ToCiphertextItem(const CipherInput& input) {
  transit::CiphertextItem item;
  COFFER_ASSIGN(item.context, Context(input));
  if (input.text.empty()) return Fail(Code::kInvalid, "missing ciphertext to decrypt");
  COFFER_ASSIGN(auto ciphertext, ParseCiphertext(input.text));
  item.version = ciphertext.version;
  item.payload = std::move(ciphertext.payload);
  item.key_version = input.key_version;
  COFFER_ASSIGN(item.associated_data, AssociatedData(input));
  return item;
}

void BatchTally::Count(const Error& error) {
  if (HttpStatus(error) >= 500) {
    ++failed;
  } else {
    ++refused;
  }
}

int BatchTally::Status(std::optional<std::int64_t> wanted, std::string& warning) const {
  if (refused + failed == 0) return 200;
  const int usual = refused > 0 ? 400 : 500;
  if (!wanted || *wanted == 0) return usual;
  // A status below 200 announces another answer, and 204, 205 and 304 forbid the body that says
  // which item failed: they are as unusable as a number outside HTTP.
  const bool usable =
      *wanted >= 200 && *wanted <= 599 && *wanted != 204 && *wanted != 205 && *wanted != 304;
  if (!usable) {
    warning =
        "invalid HTTP response code override from partial_failure_response_code, reverting to " +
        std::to_string(usual);
    return usual;
  }
  return succeeded > 0 ? static_cast<int>(*wanted) : usual;
}

}  // namespace coffer::api
