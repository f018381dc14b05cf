#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/transit/engine.h"
#include "field_decoder.h"

namespace coffer::api {

// What one item of an encrypt, decrypt or rewrap request says, of batch_input or of the top level.
// Views point into the request's fields.
struct CipherInput {
  std::string_view text;  // plaintext (Base64) or ciphertext
  std::string_view associated_data;
  std::string_view context;
  std::string_view nonce;
  std::string_view reference;
  std::int64_t key_version = 0;
};

// Names that no item of batch_input may have.
class UnknownNames {
 public:
  // Notes the members of `item` that are not among `known`.
  void Note(const JsonValue& item, std::span<const std::string_view> known);
  void Warn(std::vector<std::string>& warnings) const;

 private:
  NamesToTell names_;
};

struct CipherInputs {
  std::vector<CipherInput> items;
  bool is_batch = false;
  UnknownNames unknown;
};

// A batch's item without a text fails alone, or makes the whole request fail.
enum class Lacking : std::uint8_t { kFailsItem, kFailsRequest };

// `text_field` is "plaintext" or "ciphertext". kInvalid where the request or, as `lacking` has it,
// an item lacks it, an item is no object, the batch is empty, or only some items have a context:
// the whole request fails.
Result<CipherInputs> ReadCipherInputs(const Fields& fields, std::string_view text_field,
                                      std::string_view operation,
                                      Lacking lacking = Lacking::kFailsRequest);

// A text member of a batch item; empty where it is absent or null.
Result<std::string_view> TextMember(const JsonValue& item, std::size_t index,
                                    std::string_view field);
// The item as an object, or kInvalid.
Status RequireObject(const JsonValue& item, std::size_t index);

Result<transit::PlaintextItem> ToPlaintextItem(const CipherInput& input);
Result<transit::CiphertextItem> ToCiphertextItem(const CipherInput& input);

// How a batch went, and the HTTP status that says so (vault-api 1.5).
struct BatchTally {
  std::size_t succeeded = 0;
  std::size_t refused = 0;  // the caller's faults
  std::size_t failed = 0;   // ours
  void Count(const Error& error);
  // `wanted`: the caller's status for a partial failure. `warning` is set where it is not usable.
  int Status(std::optional<std::int64_t> wanted, std::string& warning) const;
};

}  // namespace coffer::api
