#pragma once

#include <string>
#include <string_view>

#include "coffer/base/result.h"

namespace coffer::pkcs11 {

// The parts of an RFC 7512 URI that name a token and tell how to reach it. An empty part was not in
// the URI.
struct TokenUri {
  std::string token;  // the label
  std::string serial;
  std::string manufacturer;
  std::string model;
  std::string module_path;
  std::string pin_source;  // as written: a path or a file: URI
};

// Parses "pkcs11:token=...;serial=...?module-path=...&pin-source=...". kInvalid with a sentence for
// a text that is no such URI or has a part that Coffer does not take: objects, slots (numbers
// change), module-name, vendor parts, and pin-value, because a PIN has no place in a text that is
// shown and kept. No message repeats the text. Thread-safe.
Result<TokenUri> ParseTokenUri(std::string_view text);

// The file that a pin-source names: itself where it is an absolute path, else that of a file: URI
// (RFC 8089) without a host. kInvalid otherwise.
Result<std::string> PinSourceFile(std::string_view pin_source);

}  // namespace coffer::pkcs11
