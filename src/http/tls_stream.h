#pragma once

#include <memory>
#include <string>

#include "http/stream.h"

struct ssl_st;

namespace coffer::http {

// The server's side of a TLS connection.
class TlsStream final : public Stream {
 public:
  // Takes over `ssl`, to which its socket has been given.
  explicit TlsStream(ssl_st* ssl) : ssl_(ssl) {}
  ~TlsStream() override;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  IoResult Handshake() override;
  IoResult Read(std::span<char> into) override;
  IoResult Write(std::string_view from) override;
  void EndWriting() override;
  std::shared_ptr<const TlsFacts> Facts() const override { return facts_; }
  bool MayHoldMore(std::size_t size) const override;
  std::string Failure() const override { return failure_; }

 private:
  IoResult Outcome(int returned, std::size_t size);
  void NoteFacts();

  ssl_st* const ssl_;
  bool usable_ = true;  // after a fatal error nothing more may be done with it
  std::shared_ptr<const TlsFacts> facts_;
  std::string failure_;
};

}  // namespace coffer::http
