#include "http/response_text.h"

#include <array>
#include <charconv>
#include <cstdio>

#include "coffer/base/secret_bytes.h"
#include "coffer/base/wiping_reserve.h"

namespace coffer::http {
namespace {

std::string_view StatusLine(int status) {
  switch (status) {
    case 200:
      return "HTTP/1.1 200 OK\r\n";
    case 202:
      return "HTTP/1.1 202 Accepted\r\n";
    case 204:
      return "HTTP/1.1 204 No Content\r\n";
    case 400:
      return "HTTP/1.1 400 Bad Request\r\n";
    case 403:
      return "HTTP/1.1 403 Forbidden\r\n";
    case 404:
      return "HTTP/1.1 404 Not Found\r\n";
    case 405:
      return "HTTP/1.1 405 Method Not Allowed\r\n";
    case 408:
      return "HTTP/1.1 408 Request Timeout\r\n";
    case 409:
      return "HTTP/1.1 409 Conflict\r\n";
    case 413:
      return "HTTP/1.1 413 Content Too Large\r\n";
    case 414:
      return "HTTP/1.1 414 URI Too Long\r\n";
    case 415:
      return "HTTP/1.1 415 Unsupported Media Type\r\n";
    case 417:
      return "HTTP/1.1 417 Expectation Failed\r\n";
    case 429:
      return "HTTP/1.1 429 Too Many Requests\r\n";
    case 431:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    case 500:
      return "HTTP/1.1 500 Internal Server Error\r\n";
    case 501:
      return "HTTP/1.1 501 Not Implemented\r\n";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\n";
    case 505:
      return "HTTP/1.1 505 HTTP Version Not Supported\r\n";
    default:
      return {};
  }
}

void AppendNumber(std::size_t value, std::string& out) {
  std::array<char, 24> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  static_cast<void>(error);
  out.append(digits.data(), end);
}

constexpr std::string_view kJson = "application/json";
// The head of nearly every answer, up to the value of Content-Length.
constexpr std::string_view kUsualHead =
    "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Type: application/json\r\n"
    "Content-Length: ";

// Appends the head of any other answer, up to the value of Content-Length.
void AppendHead(const Response& response, bool bodyless, std::string& out) {
  if (const std::string_view line = StatusLine(response.status); !line.empty()) {
    out += line;
  } else {
    out += "HTTP/1.1 ";
    AppendNumber(static_cast<std::size_t>(response.status), out);
    out += " Status\r\n";
  }
  out += "Cache-Control: no-store\r\n";
  for (const auto& [name, value] : response.headers) {
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (bodyless) return;
  if (!response.body.empty()) {
    out.append("Content-Type: ").append(response.content_type).append("\r\n");
  }
  out += "Content-Length: ";
}

}  // namespace

std::string_view DateLine::At(std::time_t now) {
  if (now == at_) return text_;
  // These names are the same in every locale (RFC 9110, 5.6.7).
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n",
                kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900,
                parts.tm_hour, parts.tm_min, parts.tm_sec);
  at_ = now;
  text_ = text.data();
  return text_;
}

void AppendResponse(const Response& response, std::string_view date_line, bool head_only,
                    bool close, std::string& out) {
  constexpr std::size_t kHeadRoom = 256;
  std::size_t size = out.size() + response.body.size() + response.content_type.size() + kHeadRoom;
  for (const auto& [name, value] : response.headers) size += name.size() + value.size() + 4;
  ReserveWiping(out, size);
  const bool bodyless = response.status == 204 || response.status == 304;
  const bool usual = response.status == 200 && response.headers.empty() && !response.body.empty() &&
                     response.content_type == kJson;
  if (usual) {
    out += kUsualHead;
  } else {
    AppendHead(response, bodyless, out);
  }
  if (!bodyless) {
    AppendNumber(response.body.size(), out);
    out += "\r\n";
  }
  out += date_line;
  out += close ? "Connection: close\r\n\r\n" : "\r\n";
  if (!bodyless && !head_only) out += response.body;
}

Response ErrorResponse(const FrameError& error, const Handler& handler) {
  Response response;
  response.status = error.status;
  if (error.status == 503) response.headers.emplace_back("Retry-After", "1");
  std::string text(std::string_view(error.text));
  if (!error.unit.empty()) {
    text += ": at most ";
    AppendNumber(error.limit, text);
    text.append(" ").append(error.unit);
  }
  handler.WriteRefusal(text, response);
  return response;
}

void WipeBody(Response& response) {
  if (response.wipe) SecureWipe(response.body.data(), response.body.size());
}

}  // namespace coffer::http
