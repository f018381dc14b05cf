#pragma once

#include <unistd.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "coffer/base/address_set.h"
#include "coffer/http/message.h"
#include "coffer/http/options.h"
#include "http/connection_limits.h"
#include "http/tls_context.h"

namespace coffer::http {

// A file descriptor that its owner closes when destroyed. Move-only.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int Fd() const { return fd_; }

 private:
  int fd_;
};

// The settings and certificates that all connections of one listener share. Thread-safe.
class ListenerTerms {
 public:
  // kInvalid if a trusted proxy is neither an address nor a network, or if the certificates cannot
  // be used.
  static Result<std::shared_ptr<ListenerTerms>> Make(std::size_t index, const Listener& listener);

  std::size_t Index() const { return index_; }
  bool ProxyProtocol() const { return listener_.proxy_protocol; }
  const AddressSet& Trusted() const { return trusted_; }
  // The context for the next connection; null for plain HTTP.
  std::shared_ptr<const TlsContext> Tls() const;
  // Reads the files and returns a context made from them; null for plain HTTP.
  Result<std::shared_ptr<const TlsContext>> ReadTls() const;
  void SetTls(std::shared_ptr<const TlsContext> tls);

 private:
  ListenerTerms(std::size_t index, Listener listener)
      : index_(index), listener_(std::move(listener)) {}
  const std::size_t index_;
  const Listener listener_;
  AddressSet trusted_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsContext> tls_;  // protected by mutex_
};

// An accepted connection that nobody serves yet.
struct Peer {
  Socket socket;
  std::string address;
  std::uint16_t port = 0;
  std::optional<UnixCredentials> unix_client;
  std::shared_ptr<const ListenerTerms> terms;
  std::shared_ptr<const TlsContext> tls;
  ConnectionLimits::Lease lease;
};

}  // namespace coffer::http
