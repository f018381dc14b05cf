#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "coffer/http/message.h"

namespace coffer::http {

struct IoResult {
  enum class State {
    kOk,         // `size` bytes were read or written
    kWaitRead,   // nothing was done: call again when the socket is readable
    kWaitWrite,  // nothing was done: call again when the socket is writable
    kEnd,        // the peer will send no more
    kFailed
  };
  State state = State::kOk;
  std::size_t size = 0;
};

// The bytes of one connection over a non-blocking socket, which the stream does not own. One
// thread.
class Stream {
 public:
  virtual ~Stream() = default;
  // Must be called before anything else, until it returns kOk.
  virtual IoResult Handshake() = 0;
  virtual IoResult Read(std::span<char> into) = 0;
  virtual IoResult Write(std::string_view from) = 0;
  // Tells the peer that no more will be written, as far as that can be done without waiting.
  virtual void EndWriting() = 0;
  // The facts of TLS, after the handshake; null for a plain stream.
  virtual std::shared_ptr<const TlsFacts> Facts() const = 0;
  // True if, after a Read() that returned `size` bytes, the stream may hold further ones, which a
  // poll of the socket does not show.
  virtual bool MayHoldMore(std::size_t size) const = 0;
  // The reason for which the handshake failed, for the log.
  virtual std::string Failure() const = 0;
};

std::unique_ptr<Stream> MakePlainStream(int fd);

}  // namespace coffer::http
