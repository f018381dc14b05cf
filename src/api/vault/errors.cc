#include "api/vault/errors.h"

#include <cstddef>

#include "api/bounded_text.h"
#include "api/json_writer.h"

namespace coffer::api {
namespace {

// The beginning of a text says what is wrong; the rest quotes what was sent.
constexpr std::size_t kMostText = 1024;

}  // namespace

int HttpStatus(Code code) {
  switch (code) {
    case Code::kInvalid:
    case Code::kAuthenticationFailed:
      return 400;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
    case Code::kNoRoute:
    case Code::kUnsupportedPath:
      return 404;
    case Code::kUnsupportedVerb:
      return 405;
    case Code::kConflict:
      return 409;
    case Code::kTooLarge:
      return 413;
    case Code::kUnsupportedMedia:
      return 415;
    case Code::kTooManyRequests:
      return 429;
    case Code::kUnavailable:
    case Code::kTokenLost:
      return 503;
    case Code::kInternal:
    case Code::kTokenFailed:
    case Code::kTokenRefused:
    case Code::kPinIncorrect:
    case Code::kPinLocked:
    case Code::kCorrupt:
      return 500;
  }
  return 500;
}

LiteralText CodeName(Code code) {
  switch (code) {
    case Code::kInvalid:
      return "invalid";
    case Code::kPermissionDenied:
      return "permission_denied";
    case Code::kNotFound:
      return "not_found";
    case Code::kNoRoute:
      return "no_route";
    case Code::kUnsupportedPath:
      return "unsupported_path";
    case Code::kUnsupportedVerb:
      return "unsupported_verb";
    case Code::kConflict:
      return "conflict";
    case Code::kTooLarge:
      return "too_large";
    case Code::kUnsupportedMedia:
      return "unsupported_media";
    case Code::kTooManyRequests:
      return "too_many_requests";
    case Code::kInternal:
      return "internal";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kTokenLost:
      return "token_lost";
    case Code::kTokenFailed:
      return "token_failed";
    case Code::kTokenRefused:
      return "token_refused";
    case Code::kPinIncorrect:
      return "pin_incorrect";
    case Code::kPinLocked:
      return "pin_locked";
    case Code::kCorrupt:
      return "corrupt";
    case Code::kAuthenticationFailed:
      return "authentication_failed";
  }
  return "internal";
}

LiteralText ClientLiteral(const Error& error) {
  switch (error.code) {
    case Code::kInternal:
    case Code::kPinIncorrect:
    case Code::kPinLocked:
      return "1 error occurred:\n\t* internal error\n\n";
    case Code::kPermissionDenied:
      if (error.message.empty()) return "1 error occurred:\n\t* permission denied\n\n";
      return error.Literal();
    case Code::kUnsupportedPath:
      return "1 error occurred:\n\t* unsupported path\n\n";
    case Code::kUnsupportedVerb:
      return "1 error occurred:\n\t* unsupported operation\n\n";
    default:
      return error.Literal();
  }
}

std::string_view ClientText(const Error& error) {
  const LiteralText literal = ClientLiteral(error);
  return literal.Empty() ? std::string_view(error.message) : std::string_view(literal);
}

std::string ErrorBody(const Error& error) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("errors").BeginArray();
  const std::string text = BoundedText(ClientText(error), kMostText);
  if (!text.empty()) json.Text(text);
  json.EndArray().EndObject();
  body += '\n';
  return body;
}

}  // namespace coffer::api
