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
    kOk,         // `size` octets went
    kWaitRead,   // nothing went: again when the socket is readable
    kWaitWrite,  // likewise, writable
    kEnd,        // the peer will send no more
    kFailed
  };
  State state = State::kOk;
  std::size_t size = 0;
};

// The octets of one connection over a non-blocking socket, which it does not own. One thread.
class Stream {
 public:
  virtual ~Stream() = default;
  // Before anything else, until it says kOk.
  virtual IoResult Handshake() = 0;
  virtual IoResult Read(std::span<char> into) = 0;
  virtual IoResult Write(std::string_view from) = 0;
  // Says that no more will be written, as far as that can be said without waiting.
  virtual void EndWriting() = 0;
  // After the handshake; null for a plain one.
  virtual std::shared_ptr<const TlsFacts> Facts() const = 0;
  // Whether a Read() that returned `size` octets may have left some that the socket does not show.
  virtual bool MayHoldMore(std::size_t size) const = 0;
  // Why the handshake failed, for the log.
  virtual std::string Failure() const = 0;
};

std::unique_ptr<Stream> MakePlainStream(int fd);

}  // namespace coffer::http
