#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/field_decoder.h"
#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/transit/engine.h"

namespace coffer::api {

// One item of an encrypt, decrypt or rewrap request, as the client sent it, in batch_input or at
// the top level. Its views point into the fields of the request.
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

// The effect of an item of a batch that has no text: it fails alone, or the whole request fails.
enum class Lacking : std::uint8_t { kFailsItem, kFailsRequest };

// Reads the items; `text_field` is "plaintext" or "ciphertext". The whole request fails, kInvalid,
// if the request or (if `lacking` says so) an item lacks that field, if an item is no object, if
// the batch is empty, or if only some items have a context.
Result<CipherInputs> ReadCipherInputs(const Fields& fields, std::string_view text_field,
                                      std::string_view operation,
                                      Lacking lacking = Lacking::kFailsRequest);

// A text member of an item of a batch; empty if it is absent or null.
Result<std::string_view> TextMember(const JsonValue& item, std::size_t index,
                                    std::string_view field);
// kInvalid if the item is no object.
Status RequireObject(const JsonValue& item, std::size_t index);

Result<transit::PlaintextItem> ToPlaintextItem(const CipherInput& input);
Result<transit::CiphertextItem> ToCiphertextItem(const CipherInput& input);

// Counts how the items of a batch ended, and derives the HTTP status from that: 200 if all
// succeeded, else 400 or 500, or the status that the caller asked for.
struct BatchTally {
  std::size_t succeeded = 0;
  std::size_t refused = 0;  // the caller's faults
  std::size_t failed = 0;   // ours
  void Count(const Error& error);
  // `wanted` is the status that the caller asks for if only some items fail. `warning` is set if
  // that status is not usable.
  int Status(std::optional<std::int64_t> wanted, std::string& warning) const;
};

}  // namespace coffer::api
