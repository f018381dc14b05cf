#pragma once

#include <string>

#include "coffer/base/result.h"
#include "coffer/http/server.h"
#include "http/connection.h"

namespace coffer::http {

// A bound, listening socket. Closes it, and removes a Unix socket's file, when destroyed.
// Move-only.
class ListeningSocket {
 public:
  static Result<ListeningSocket> Open(const Listener& listener);
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  int Fd() const { return fd_; }
  // "127.0.0.1:8200" with the port in use, or the socket's path.
  const std::string& Address() const { return address_; }
  // The next waiting connection; fd -1 where there is none.
  Connection::Peer Accept() const;

 private:
  ListeningSocket(int fd, Listener::Kind kind, std::string address)
      : fd_(fd), kind_(kind), address_(std::move(address)) {}
  static Result<ListeningSocket> OpenTcp(const std::string& address);
  static Result<ListeningSocket> OpenUnix(const std::string& path, unsigned mode);

  int fd_;
  Listener::Kind kind_;
  std::string address_;
};

}  // namespace coffer::http
