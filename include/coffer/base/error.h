#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "coffer/base/literal_text.h"

namespace coffer {

// What went wrong, coarsely. The api room maps each to one HTTP status; nothing else may.
enum class Code {
  kInvalid,           // the caller's input; 400
  kPermissionDenied,  // 403
  kNotFound,          // the object is absent; 404
  kNoRoute,           // no mount at this path; 404
  kUnsupportedPath,   // a mount, but nothing at this path in it; 404
  kUnsupportedVerb,   // the path exists, this verb does not; 405
  kConflict,          // 409
  kTooLarge,          // 413
  kUnsupportedMedia,  // 415
  kTooManyRequests,   // 429
  kInternal,          // a defect or an unexpected answer; 500, its text is withheld
  kUnavailable,       // a needed resource is missing for now (full disk, drain); 503
  kTokenLost,         // the token cannot be reached; 503
  kTokenFailed,       // the token's ambiguous failure (general error): ask a canary before blaming
                      // anybody; 500
  kTokenRefused,  // the token's policy forbids it (template, mechanism, permission, attribute); 500
  kPinIncorrect,  // start-up only; exit 78
  kPinLocked,     // start-up only; exit 78
  kCorrupt,       // stored data failed its check; 500
  kAuthenticationFailed  // ciphertext or MAC did not verify; 400, one text for all causes
};

// An error that crosses rooms. `message` is safe for a client: lower-case, no full stop, no secret,
// path, SQL text or CKR_ name. `cause` is for the log only. Value type; safe to copy between
// threads.
struct Error {
  Error() = default;
  Error(Code its_code, LiteralText text, std::string its_cause = {})
      : code(its_code),
        message(std::string_view(text)),
        cause(std::move(its_cause)),
        literal_(text) {}
  // Text that was put together may quote what a client sent.
  template <typename Text>
  requires std::same_as<std::remove_cvref_t<Text>, std::string> Error(Code its_code, Text&& text,
                                                                      std::string its_cause = {})
      : code(its_code), message(std::forward<Text>(text)), cause(std::move(its_cause)) {}

  // The message where all of it is a literal, else empty.
  LiteralText Literal() const {
    return message == std::string_view(literal_) ? literal_ : LiteralText();
  }

  Code code = Code::kInternal;
  std::string message;
  std::string cause;

 private:
  LiteralText literal_;
};

}  // namespace coffer
