#include "http/framing.h"

#include <algorithm>

#include "coffer/base/ascii.h"
#include "coffer/base/secret_bytes.h"
#include "coffer/base/wiping_reserve.h"
#include "http/field_text.h"
#include "http/target.h"

namespace coffer::http {
namespace {

constexpr std::string_view kMalformed = "malformed request";
constexpr std::size_t kMaxChunkLine = 1024;  // a size and its extensions
// The largest number of path segments: more than any path of the API has. It is limited because
// each segment may be looked up by itself.
constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::size_t kMaxSegments = 64;
constexpr std::size_t kMaxFields = 200;
constexpr std::size_t kIdleBodyCapacity = 4UL * 1024;  // an idle connection is not counted for it

bool ParseMethod(std::string_view text, Method& method) {
  for (const Method known :
       {Method::kPost, Method::kGet, Method::kPut, Method::kList, Method::kDelete, Method::kHead,
        Method::kPatch, Method::kOptions, Method::kScan}) {
    if (text == MethodName(known)) {
      method = known;
      return true;
    }
  }
  return false;
}

// The characters that a head may hold are required here, too, although nothing uses the line.
bool IsTrailer(std::string_view line) {
  const std::size_t colon = line.find(':');
  return colon != std::string_view::npos && IsToken(line.substr(0, colon)) &&
         std::all_of(line.begin(), line.end(),
                     [](char c) { return IsVisible(c) || c == ' ' || c == '\t'; });
}

}  // namespace

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
    case Method::kOptions:
      return "OPTIONS";
    case Method::kList:
      return "LIST";
    case Method::kScan:
      return "SCAN";
  }
  return "";
}

std::string_view Request::Header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (field == name) return value;
  }
  return {};
}

RequestFramer::State RequestFramer::Fail(int status, LiteralText text) {
  return Fail(FrameError{status, text});
}

RequestFramer::State RequestFramer::Fail(const FrameError& error) {
  error_ = error;
  return State::kError;
}

RequestFramer::State RequestFramer::FailTooLarge() {
  if (max_body_ < limits_.max_body_bytes) return Fail(body_too_large_);
  return Fail({413, "http: request body too large", limits_.max_body_bytes, "bytes"});
}

RequestFramer::State RequestFramer::FailHeadTooLarge() {
  return Fail({431, "request head is too large", limits_.max_header_bytes, "bytes"});
}

bool RequestFramer::LimitBody(std::size_t bytes, const FrameError& error) {
  if (bytes >= max_body_) return true;
  max_body_ = bytes;
  body_too_large_ = error;
  // The bytes that a chunk has announced count before they come, as those of a Content-Length do.
  if (body_size_ <= bytes && chunk_left_ <= bytes && chunked_body_.size() <= bytes - chunk_left_) {
    return true;
  }
  FailTooLarge();
  return false;
}

RequestFramer::State RequestFramer::Advance(std::string_view buffer) {
  if (stage_ == Stage::kHead) {
    if (const State state = AdvanceHead(buffer); state != State::kComplete) return state;
  }
  if (stage_ == Stage::kDone) return State::kComplete;
  if (stage_ != Stage::kBody) return AdvanceChunks(buffer);
  if (buffer.size() - body_begin_ < body_size_) return State::kNeedMore;
  consumed_ = body_begin_ + static_cast<std::size_t>(body_size_);
  stage_ = Stage::kDone;
  return State::kComplete;
}

RequestFramer::State RequestFramer::AdvanceHead(std::string_view buffer) {
  // A byte that no head may hold is refused as soon as it comes; the blank line ends the head.
  while (at_ < buffer.size()) {
    const char c = buffer[at_];
    if (c == '\n') {
      if (at_ == 0 || buffer[at_ - 1] != '\r') return Fail(400, kMalformed);
      if (at_ >= 3 && buffer[at_ - 2] == '\n' && buffer[at_ - 3] == '\r') {
        const std::size_t end = at_ + 1;
        if (end > limits_.max_header_bytes) return FailHeadTooLarge();
        if (!ParseHead(buffer, end)) return State::kError;
        at_ = end;
        return State::kComplete;
      }
    } else if ((at_ > 0 && buffer[at_ - 1] == '\r') ||
               (c != '\r' && c != '\t' && (c < 0x20 || c >= 0x7f))) {
      return Fail(400, kMalformed);
    }
    ++at_;
  }
  if (at_ > limits_.max_header_bytes) return FailHeadTooLarge();
  return State::kNeedMore;
}

bool RequestFramer::ParseHead(std::string_view buffer, std::size_t end) {
  Framing framing;
  std::size_t line = 0;
  bool first = true;
  while (line + 2 < end) {
    const std::size_t line_end = buffer.find("\r\n", line);
    const bool ok = first ? ParseRequestLine(buffer, line, line_end)
                          : ParseField(buffer, line, line_end, framing);
    if (!ok) return false;
    first = false;
    line = line_end + 2;
  }
  if (first) {
    Fail(400, kMalformed);
    return false;
  }
  body_begin_ = end;
  return ApplyFraming(framing);
}

bool RequestFramer::ParseRequestLine(std::string_view buffer, std::size_t begin, std::size_t end) {
  const std::string_view line = buffer.substr(begin, end - begin);
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last ||
      line.find('\t') != std::string_view::npos || line.find(' ', first + 1) != last ||
      !IsToken(line.substr(0, first))) {
    Fail(400, kMalformed);
    return false;
  }
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    Fail(version.starts_with("HTTP/") ? 505 : 400, "only HTTP/1.1 is spoken here");
    return false;
  }
  version_1_1_ = version == "HTTP/1.1";
  if (!ParseMethod(line.substr(0, first), method_)) {
    Fail(501, "unsupported method");
    return false;
  }
  const Span target{begin + first + 1, last - first - 1};
  const std::string_view text = target.In(buffer);
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsVisible)) {
    Fail(400, kMalformed);
    return false;
  }
  target_ = target;
  return true;
}

bool RequestFramer::ParseField(std::string_view buffer, std::size_t begin, std::size_t end,
                               Framing& framing) {
  const std::string_view line = buffer.substr(begin, end - begin);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) {
    Fail(400, kMalformed);
    return false;
  }
  if (fields_.size() >= kMaxFields) {
    Fail({431, "request has too many header fields", kMaxFields, "fields"});
    return false;
  }
  const std::string_view raw = line.substr(colon + 1);
  const std::string_view value = Trim(raw);
  const std::size_t name_begin = lower_names_.size();
  for (const char c : line.substr(0, colon)) lower_names_.push_back(ToLower(c));
  fields_.push_back({{name_begin, colon},
                     {static_cast<std::size_t>(value.data() - buffer.data()), value.size()}});
  const std::string_view name = std::string_view(lower_names_).substr(name_begin, colon);
  // Some programs strip tabs around a value and others do not, so a field that frames the message
  // must have none.
  const bool frames = name == "content-length" || name == "transfer-encoding" || name == "host";
  if (frames && raw.find('\t') != std::string_view::npos) {
    Fail(400, kMalformed);
    return false;
  }
  return ApplyField(name, value, framing);
}

bool RequestFramer::ApplyField(std::string_view name, std::string_view value, Framing& framing) {
  const auto refuse = [&](int status, LiteralText text) {
    Fail(status, text);
    return false;
  };
  if (name == "host") {
    ++framing.hosts;
    if (!IsHost(value)) return refuse(400, kMalformed);
  } else if (name == "content-length") {
    if (++framing.content_lengths > 1 || !ParseLength(value, framing.content_length)) {
      return refuse(400, kMalformed);
    }
  } else if (name == "transfer-encoding") {
    if (++framing.transfer_encodings > 1) return refuse(400, kMalformed);
    if (!EqualsIgnoringCase(value, "chunked")) return refuse(501, "unsupported transfer coding");
    framing.chunked = true;
  } else if (name == "connection") {
    framing.close = framing.close || ListHas(value, "close");
  } else if (name == "expect") {
    if (!EqualsIgnoringCase(value, "100-continue")) return refuse(417, "unsupported expectation");
    framing.expects_continue = true;
  } else if (name == "content-encoding") {
    if (!EqualsIgnoringCase(value, "identity")) return refuse(415, "unsupported content encoding");
  }
  return true;
}

bool RequestFramer::ApplyFraming(const Framing& framing) {
  const auto refuse = [&](int status, LiteralText text) {
    Fail(status, text);
    return false;
  };
  if (framing.hosts > 1 || (version_1_1_ && framing.hosts == 0)) return refuse(400, kMalformed);
  if (framing.chunked && (framing.content_lengths > 0 || !version_1_1_))
    return refuse(400, kMalformed);
  if (framing.content_length > max_body_) {
    FailTooLarge();
    return false;
  }
  // HTTP/1.0 has no framing of later requests on which both sides agree, so each connection serves
  // one.
  keep_alive_ = version_1_1_ && !framing.close;
  continue_due_ =
      version_1_1_ && framing.expects_continue && (framing.chunked || framing.content_length > 0);
  body_size_ = framing.content_length;
  chunked_ = framing.chunked;
  stage_ = framing.chunked ? Stage::kChunkSize : Stage::kBody;
  return true;
}

RequestFramer::Line RequestFramer::NextLine(std::string_view buffer, std::size_t limit,
                                            std::string_view& line) {
  const std::string_view rest = buffer.substr(at_);
  const std::size_t newline = rest.find('\n');
  if (newline == std::string_view::npos) return rest.size() > limit ? Line::kBad : Line::kNone;
  if (newline == 0 || newline > limit || rest[newline - 1] != '\r') return Line::kBad;
  line = rest.substr(0, newline - 1);
  if (line.find('\r') != std::string_view::npos) return Line::kBad;
  at_ += newline + 1;
  return Line::kWhole;
}

RequestFramer::State RequestFramer::AdvanceChunks(std::string_view buffer) {
  std::string_view line;
  while (true) {
    switch (stage_) {
      case Stage::kChunkSize: {
        const Line found = NextLine(buffer, kMaxChunkLine, line);
        if (found == Line::kNone) return State::kNeedMore;
        if (found == Line::kBad || !ParseChunkLine(line, chunk_left_)) return Fail(400, kMalformed);
        // Tiny chunks with long lines would fill memory with framing instead of a body.
        if (chunk_left_ > max_body_ - chunked_body_.size() ||
            at_ - body_begin_ > max_body_ / 4 * 5 + limits_.max_header_bytes) {
          return FailTooLarge();
        }
        trailer_begin_ = at_;
        stage_ = chunk_left_ == 0 ? Stage::kTrailer : Stage::kChunkData;
        break;
      }
      case Stage::kChunkData: {
        const std::string_view data =
            buffer.substr(at_).substr(0, static_cast<std::size_t>(chunk_left_));
        ReserveWiping(chunked_body_, chunked_body_.size() + data.size());
        chunked_body_.append(data);
        at_ += data.size();
        chunk_left_ -= data.size();
        if (chunk_left_ > 0) return State::kNeedMore;
        stage_ = Stage::kChunkEnd;
        break;
      }
      case Stage::kChunkEnd: {
        const Line found = NextLine(buffer, 2, line);
        if (found == Line::kNone) return State::kNeedMore;
        if (found == Line::kBad || !line.empty()) return Fail(400, kMalformed);
        stage_ = Stage::kChunkSize;
        break;
      }
      case Stage::kTrailer: {
        const Line found = NextLine(buffer, limits_.max_header_bytes, line);
        if (found == Line::kNone) return State::kNeedMore;
        if (found == Line::kBad || at_ - trailer_begin_ > limits_.max_header_bytes) {
          return Fail(400, kMalformed);
        }
        if (!line.empty()) {
          if (!IsTrailer(line)) return Fail(400, kMalformed);
          break;  // trailers are read and dropped
        }
        consumed_ = at_;
        stage_ = Stage::kDone;
        return State::kComplete;
      }
      case Stage::kHead:
      case Stage::kBody:
      case Stage::kDone:
        return State::kComplete;
    }
  }
}

bool RequestFramer::TakeContinue() {
  const bool due = continue_due_;
  continue_due_ = false;
  return due;
}

bool RequestFramer::FillHead(std::string_view buffer, Request& request) {
  const auto refuse = [&](const FrameError& error) {
    Fail(error);
    return false;
  };
  request.method = method_;
  if (!DecodeTarget(target_.In(buffer), request.path, request.query)) {
    return refuse({400, kMalformed});
  }
  const std::string& path = request.path;
  if (path.size() > kMaxPathBytes) {
    return refuse({414, "request path is too long", kMaxPathBytes, "bytes"});
  }
  if (std::count(path.begin(), path.end(), '/') > static_cast<std::ptrdiff_t>(kMaxSegments)) {
    return refuse({414, "request path has too many segments", kMaxSegments, "segments"});
  }
  request.headers.clear();
  request.body = {};
  request.target = target_.In(buffer);
  request.head = buffer.substr(0, body_begin_);
  for (const Field& field : fields_) {
    request.headers.emplace_back(field.name.In(lower_names_), field.value.In(buffer));
  }
  return true;
}

bool RequestFramer::Fill(std::string_view buffer, Request& request) {
  if (!FillHead(buffer, request)) return false;
  request.body = Body(buffer);
  return true;
}

std::string_view RequestFramer::Body(std::string_view buffer) const {
  return chunked_ ? std::string_view(chunked_body_)
                  : buffer.substr(body_begin_, static_cast<std::size_t>(body_size_));
}

void RequestFramer::Reset() {
  SecureWipe(chunked_body_.data(), chunked_body_.size());
  chunked_body_.clear();
  if (chunked_body_.capacity() > kIdleBodyCapacity) chunked_body_.shrink_to_fit();
  fields_.clear();
  lower_names_.clear();
  target_ = {};
  stage_ = Stage::kHead;
  at_ = 0;
  keep_alive_ = true;
  continue_due_ = false;
  chunked_ = false;
  body_begin_ = 0;
  body_size_ = 0;
  chunk_left_ = 0;
  max_body_ = limits_.max_body_bytes;
  consumed_ = 0;
}

}  // namespace coffer::http
