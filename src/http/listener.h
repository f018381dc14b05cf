#pragma once

#include <string>

#include "coffer/base/result.h"
#include "coffer/http/options.h"
#include "http/peer.h"

namespace coffer::http {

// The number of connections that may wait to be accepted.
constexpr int kBacklog = 1024;

// A bound, listening socket. Closes it, and removes a Unix socket's file, when destroyed.
// Move-only.
class ListeningSocket {
 public:
  // kInvalid also for plain HTTP on an address that is not a loopback one, unless the listener says
  // plain_anywhere.
  static Result<ListeningSocket> Open(const Listener& listener);
  // Returns the error that Open() would have, except that the address is in use; makes nothing.
  static Status Check(const Listener& listener);
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  int Fd() const { return fd_; }
  // "127.0.0.1:8200" with the port in use, or the socket's path.
  const std::string& Address() const { return address_; }
  // The next waiting connection; its terms and its lease are left empty. It has no descriptor if
  // none waits.
  Peer Accept() const;

 private:
  ListeningSocket(int fd, Listener::Kind kind, std::string address)
      : fd_(fd), kind_(kind), address_(std::move(address)) {}
  static Result<ListeningSocket> OpenTcp(const Listener& listener);
  static Result<ListeningSocket> OpenUnix(const std::string& path, unsigned mode);

  int fd_;
  Listener::Kind kind_;
  std::string address_;
};

}  // namespace coffer::http
