#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace coffer::http {

// A client with a blocking socket, which sends any text, well-formed or not.
class Client {
 public:
  // `from` is the address that the connection comes from, one of this machine.
  explicit Client(std::uint16_t port, const char* from = "127.0.0.1")
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    ::inet_pton(AF_INET, from, &own.sin_addr);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Connect(reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  explicit Client(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof to.sun_path - 1);
    Connect(reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  ~Client() {
    if (fd_ >= 0) ::close(fd_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  int Fd() const { return fd_; }
  void Close() {
    ::close(fd_);
    fd_ = -1;
  }
  // Closes with a reset instead of an orderly end.
  void CloseWithReset() {
    const linger none{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    Close();
  }
  void Send(std::string_view text) {
    // A failed send is no error: if the server has closed already, its answer tells why.
    static_cast<void>(!::send(fd_, text.data(), text.size(), MSG_NOSIGNAL));
  }
  // Reads until `end` has come, the server has closed, or no byte has come for 10 seconds, and
  // returns all of it.
  std::string Until(std::string_view end) {
    std::string text;
    char c = 0;
    while (!text.ends_with(end) && ::recv(fd_, &c, 1, 0) == 1) text.push_back(c);
    return text;
  }
  std::string UntilClosed() {
    std::string text;
    std::array<char, 65536> some{};
    ssize_t got = 0;
    while ((got = ::recv(fd_, some.data(), some.size(), 0)) > 0) {
      text.append(some.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  void Connect(const sockaddr* to, socklen_t size) {
    const timeval limit{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::connect(fd_, to, size), 0);
  }
  int fd_;
};

inline std::uint16_t PortOf(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

}  // namespace coffer::http
