#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "coffer/base/bytes.h"
#include "coffer/base/result.h"

namespace coffer {

// RFC 4648 section 4 (standard alphabet, padded).
std::size_t Base64EncodedSize(std::size_t size);
std::string Base64Encode(ByteView bytes);
// Appends to `out`, which the caller has reserved: no other allocation.
void Base64Append(ByteView bytes, std::string& out);

// Strict as Go's base64.StdEncoding: '\r' and '\n' are skipped, padding is required, trailing bits
// are not checked (Go's default). On failure kNotBase64 with the offset of the first wrong
// byte.
Result<Bytes> Base64Decode(std::string_view text);

// RFC 4648 section 5 without padding, as JWS has it (RFC 7515). Strict: padding, line ends and the
// standard alphabet's characters are errors.
std::string Base64UrlEncode(ByteView bytes);
Result<Bytes> Base64UrlDecode(std::string_view text);

}  // namespace coffer
