#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cli/exchange.h"
#include "coffer/base/result.h"

// The common parts of the transit commands: plaintext and keys come from a file or standard input,
// never from an argument.
namespace coffer::cli {

inline constexpr Flag kMountFlag{"mount", Flag::Kind::kText,
                                 "where the engine is mounted (default: transit)"};
inline constexpr Flag kInFlag{"in", Flag::Kind::kText, "read this file instead of standard input"};
inline constexpr Flag kOutFlag{"out", Flag::Kind::kText,
                               "write this file, mode 0600, instead of standard output"};
inline constexpr Flag kContextFlag{"context", Flag::Kind::kText,
                                   "text from which a derived key is derived"};
inline constexpr Flag kVersionFlag{"key-version", Flag::Kind::kNumber,
                                   "the key's version (default: the latest)"};

// The engine's path: that of -mount, else "transit".
std::string TransitMount(const Invocation& call);
// The path of an operation, such as "transit/encrypt/KEY"; the key is the first word.
std::string TransitPath(const Invocation& call, std::string_view operation);

// The file of -in, or of the word after the key ("@FILE", "-"), or standard input. kInvalid for any
// other word.
Result<std::string> SecretInput(const Invocation& call, std::string_view what);
// Reads like SecretInput(), but any other word is the value itself. Line ends around the value are
// removed.
Result<std::string> PublicInput(const Invocation& call);

// Adds the flags that hold text as the API's members of the same names, in base64.
void AddEncoded(const Invocation& call, std::initializer_list<std::string_view> flags,
                nlohmann::json& body);

// Replaces the file, mode 0600, as a whole; a device or a pipe is written to.
Status WriteFile(const std::string& name, std::string_view content);

// The exit code, and a sentence, where -out is to take more than one value.
int RefuseWholeInFile(const Invocation& call);
// A field of an answer on standard output or in the file of -out; Base64 is decoded where `decoded`
// says so.
int ShowValue(Invocation& call, const std::string& answer, std::string_view field, bool decoded);

// One request; the answer's one field on standard output or in the file of -out, unless a format or
// another field is asked for. Base64 is decoded where `decoded` says so.
int ExchangeValue(Invocation& call, const Request& request, std::string_view field,
                  bool decoded = false);

}  // namespace coffer::cli
