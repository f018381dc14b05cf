#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coffer/base/literal_text.h"
#include "coffer/http/message.h"

namespace coffer::http {

struct FrameLimits {
  std::size_t max_header_bytes = 64UL * 1024;
  std::size_t max_body_bytes = 32UL * 1024 * 1024;
};

// The reason for which a request is refused, and its status; the connection is closed afterwards.
struct FrameError {
  int status = 400;
  LiteralText text;
  // The limit that the request broke, and its unit; an empty unit means that it broke none.
  std::uint64_t limit = 0;
  std::string_view unit = {};
};

// Reads one request after another from a connection's bytes (RFC 9112, strictly): a request that
// could be read in two ways is an error. Each byte is looked at once, however the input is cut. Not
// thread-safe.
class RequestFramer {
 public:
  explicit RequestFramer(const FrameLimits& limits) : limits_(limits) {}

  enum class State { kNeedMore, kComplete, kError };
  // `buffer` begins with the request's first byte and only grows until Reset().
  State Advance(std::string_view buffer);
  const FrameError& Error() const { return error_; }

  // True once, when the client waits for "100 Continue" before it sends the body.
  bool TakeContinue();
  bool HeadComplete() const { return stage_ != Stage::kHead; }
  // How large the request is, as far as that is known.
  std::size_t KnownSize() const {
    return std::max(at_, body_begin_ + static_cast<std::size_t>(body_size_));
  }
  // Lowers the limit of the body to `bytes`, if the present limit is higher; to be called once the
  // head is complete. False if the body has more already: Error() is then `error`.
  bool LimitBody(std::size_t bytes, const FrameError& error);

  // Fills in all of the request but the body, once the head is complete. Its views point into
  // `buffer` (the one of the last Advance) and into this framer. False if the target cannot be
  // decoded: Error() says so.
  bool FillHead(std::string_view buffer, Request& request);
  // The body, after kComplete.
  std::string_view Body(std::string_view buffer) const;
  // Fills in the head and the body.
  bool Fill(std::string_view buffer, Request& request);
  bool KeepAlive() const { return keep_alive_; }
  // The target of a request line that was well-formed, as it was sent, else empty; for reports.
  std::string_view TargetText(std::string_view buffer) const { return target_.In(buffer); }
  std::size_t Consumed() const { return consumed_; }
  std::size_t DecodedBodyCapacity() const { return chunked_body_.capacity(); }
  // Begins the next request; wipes the decoded body.
  void Reset();

 private:
  enum class Stage { kHead, kBody, kChunkSize, kChunkData, kChunkEnd, kTrailer, kDone };
  struct Span {
    std::size_t begin = 0;
    std::size_t size = 0;
    std::string_view In(std::string_view buffer) const { return buffer.substr(begin, size); }
  };
  struct Field {
    Span name;
    Span value;
  };
  struct Framing {
    int hosts = 0;
    int content_lengths = 0;
    int transfer_encodings = 0;
    bool chunked = false;
    bool expects_continue = false;
    bool close = false;
    std::uint64_t content_length = 0;
  };

  State Fail(int status, LiteralText text);
  State Fail(const FrameError& error);
  State FailTooLarge();
  State FailHeadTooLarge();
  bool ParseHead(std::string_view buffer, std::size_t end);
  bool ParseRequestLine(std::string_view buffer, std::size_t begin, std::size_t end);
  bool ParseField(std::string_view buffer, std::size_t begin, std::size_t end, Framing& framing);
  bool ApplyField(std::string_view name, std::string_view value, Framing& framing);
  bool ApplyFraming(const Framing& framing);
  State AdvanceHead(std::string_view buffer);
  State AdvanceChunks(std::string_view buffer);
  // Takes the next line that ends in CRLF from at_, or nothing yet; a bare CR or LF is an error.
  enum class Line { kNone, kWhole, kBad };
  Line NextLine(std::string_view buffer, std::size_t limit, std::string_view& line);

  const FrameLimits limits_;
  Stage stage_ = Stage::kHead;
  FrameError error_;
  std::size_t at_ = 0;  // scanned so far
  Method method_ = Method::kGet;
  bool version_1_1_ = true;
  bool keep_alive_ = true;
  bool continue_due_ = false;
  Span target_;
  std::vector<Field> fields_;
  std::string lower_names_;  // the names in lower case, in order
  std::size_t body_begin_ = 0;
  std::uint64_t body_size_ = 0;
  bool chunked_ = false;
  std::uint64_t chunk_left_ = 0;
  std::size_t max_body_ = limits_.max_body_bytes;
  FrameError body_too_large_;
  std::size_t trailer_begin_ = 0;
  std::string chunked_body_;
  std::size_t consumed_ = 0;
};

}  // namespace coffer::http
