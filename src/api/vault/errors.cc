#include "api/vault/errors.h"

#include <cstddef>

#include "api/bounded_text.h"
#include "api/json_writer.h"
#include "api/vault/refusal_texts.h"

namespace coffer::api {
namespace {

// A long text is cut here: its beginning says what is wrong, and the rest quotes the client.
constexpr std::size_t kMostText = 1024;
constexpr std::string_view kInternalText = "1 error occurred:\n\t* internal error\n\n";

}  // namespace

int HttpStatus(const Error& error) {
  // Vault answers these four with other statuses than the rest of their codes.
  if (error.refusal == Refusal::kUnsupportedVerb) return 405;
  if (error.refusal == Refusal::kUnsupportedMedia) return 415;
  if (error.refusal == Refusal::kMountPathTaken) return 400;
  if (error.refusal == Refusal::kRemountPathTaken) return 400;
  switch (error.code) {
    case Code::kInvalid:
    case Code::kAuthenticationFailed:
      return 400;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kConflict:
      return 409;
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

std::string ClientText(const Error& error) {
  if (error.refusal != Refusal::kNone) {
    return FilledIn(SentenceOf(error.refusal, error.arguments.purpose), error.arguments);
  }
  switch (error.code) {
    case Code::kInternal:
    case Code::kPinIncorrect:
    case Code::kPinLocked:
      return std::string(kInternalText);
    default:
      return error.message;
  }
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
