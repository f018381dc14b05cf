#include "errors.h"

#include "json_writer.h"

namespace coffer::api {
namespace {

std::string Wrapped(std::string_view phrase) {
  return "1 error occurred:\n\t* " + std::string(phrase) + "\n\n";
}

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

std::string ClientText(const Error& error) {
  switch (error.code) {
    case Code::kInternal:
    case Code::kPinIncorrect:
    case Code::kPinLocked:
      return Wrapped("internal error");
    case Code::kPermissionDenied:
      return error.message.empty() ? Wrapped("permission denied") : error.message;
    case Code::kUnsupportedPath:
      return Wrapped("unsupported path");
    case Code::kUnsupportedVerb:
      return Wrapped("unsupported operation");
    default:
      return error.message;
  }
}

std::string ErrorBody(const Error& error) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("errors").BeginArray();
  const std::string text = ClientText(error);
  if (!text.empty()) json.Text(text);
  json.EndArray().EndObject();
  body += '\n';
  return body;
}

}  // namespace coffer::api
