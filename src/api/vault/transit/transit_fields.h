#pragma once

#include "api/field_decoder.h"

namespace coffer::api {

// Parameters that several transit endpoints share.
inline constexpr FieldSpec kName{"name", FieldType::kText, "", "The key's name."};
inline constexpr FieldSpec kContext{"context", FieldType::kText, "",
                                    "Base64 of a derived key's context.", true};
inline constexpr FieldSpec kNonce{"nonce", FieldType::kText, "",
                                  "Must be empty: nonces are made here."};
inline constexpr FieldSpec kVersion{"key_version", FieldType::kInt, "0",
                                    "The version to use; 0: latest."};
inline constexpr FieldSpec kAssociated{"associated_data", FieldType::kText, "",
                                       "Base64 of what is authenticated with the message.", true};
inline constexpr FieldSpec kBatch{"batch_input", FieldType::kList, "", "Many items in one request.",
                                  true};
inline constexpr FieldSpec kPartial{"partial_failure_response_code", FieldType::kInt, "",
                                    "HTTP status where some items failed."};
inline constexpr FieldSpec kCiphertext{"ciphertext", FieldType::kText, "", "vault:vN:..."};
inline constexpr FieldSpec kPadding{"padding_scheme", FieldType::kText, "oaep",
                                    "RSA keys: oaep (with SHA-256); nothing else."};
inline constexpr FieldSpec kInput{"input", FieldType::kText, "", "Base64 of the message.", true};
inline constexpr FieldSpec kUrlAlgorithm{"urlalgorithm", FieldType::kText, "",
                                         "As algorithm; stands above it."};

}  // namespace coffer::api
