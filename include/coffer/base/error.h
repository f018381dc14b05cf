#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "coffer/base/literal_text.h"
#include "coffer/base/refusal.h"

namespace coffer {

// The kind of an error. The api room maps each kind to one HTTP status; nothing else may.
enum class Code {
  kInvalid,           // the caller's input; 400
  kPermissionDenied,  // 403
  kNotFound,          // the object is absent; 404
  kConflict,          // 409
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

// An error that crosses rooms. It is a refusal, which each face (the HTTP API is one) words for its
// clients, or a failure, whose `message` clients read. A message begins in lower case and has no
// full stop; it holds no secret, path, SQL text or CKR_ name. `cause` is for the log only. Value
// type; safe to copy between threads.
struct Error {
  Error() = default;
  // Its code and its message, in neutral words, are the refusal's.
  explicit Error(Refusal its_refusal, RefusalArguments its_arguments = {},
                 std::string its_cause = {});
  Error(Code its_code, LiteralText text, std::string its_cause = {})
      : code(its_code),
        message(std::string_view(text)),
        cause(std::move(its_cause)),
        literal_(text) {}
  // A text that was put together may quote a client, so it is no literal.
  template <typename Text>
  requires std::same_as<std::remove_cvref_t<Text>, std::string> Error(Code its_code, Text&& text,
                                                                      std::string its_cause = {})
      : code(its_code), message(std::forward<Text>(text)), cause(std::move(its_cause)) {}

  // The message if all of it is a literal, else empty.
  LiteralText Literal() const {
    return message == std::string_view(literal_) ? literal_ : LiteralText();
  }

  Code code = Code::kInternal;
  Refusal refusal = Refusal::kNone;
  std::string message;
  std::string cause;
  RefusalArguments arguments;

 private:
  LiteralText literal_;
};

// The description of a refusal: its name, its kind and its text.
struct RefusalInfo {
  LiteralText name;  // as the audit trail has it: "below_min_decryption_version"
  Code code = Code::kInvalid;
  LiteralText text;  // in neutral words, with a {place} for each argument
};
RefusalInfo InfoOf(Refusal refusal);
// A code's name, for failures: "token_lost".
LiteralText CodeName(Code code);

// `text` with the arguments in its places: {purpose}, {given}, {bound}, {name}, {detail}.
std::string FilledIn(std::string_view text, const RefusalArguments& arguments);

}  // namespace coffer
