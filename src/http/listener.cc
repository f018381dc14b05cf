#include "http/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

namespace coffer::http {
namespace {

struct HostPort {
  std::string host;
  std::string port;
};

bool SplitAddress(const std::string& address, HostPort& out) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) return false;
  out.host = address.substr(0, colon);
  out.port = address.substr(colon + 1);
  if (out.host.front() == '[' && out.host.back() == ']') {
    out.host = out.host.substr(1, out.host.size() - 2);
  } else if (out.host.find(':') != std::string::npos) {
    return false;
  }
  return out.port.find_first_not_of("0123456789") == std::string::npos && out.port.size() <= 5;
}

bool IsLoopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    return ntohl(four.sin_addr.s_addr) >> 24U == 127;
  }
  const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
  return address.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
}

std::string TextOf(const sockaddr_storage& address, std::uint16_t& port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(address);
    port = ntohs(four.sin_port);
    ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
  } else if (address.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    port = ntohs(six.sin6_port);
    ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

// Removes the socket file of a server that has died; a file that somebody listens on stays.
bool RemoveStaleSocket(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool stale = connected != 0 && errno == ECONNREFUSED;
  ::close(fd);
  return stale && ::unlink(path.c_str()) == 0;
}

auto InUse(const std::string& address) {
  return Fail(Code::kConflict,
              "address " + address + " is already in use: stop the other server or choose another");
}

using Resolved = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// The address of a TCP listener; an error for plain HTTP where it is not allowed.
Result<Resolved> Resolve(const Listener& listener) {
  const std::string& address = listener.address;
  HostPort parts;
  if (!SplitAddress(address, parts)) {
    return Fail(Code::kInvalid, "address " + address + " is not HOST:PORT");
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int why = ::getaddrinfo(parts.host.c_str(), parts.port.c_str(), &hints, &found)) {
    // A name server may come back, so this error tells a supervisor to try again.
    return Fail(Code::kUnavailable,
                "address " + address + " cannot be resolved: " + ::gai_strerror(why));
  }
  Resolved resolved(found, &::freeaddrinfo);
  if (!listener.tls && !listener.plain_anywhere && !IsLoopback(*found->ai_addr)) {
    return Fail(Code::kInvalid, "address " + address +
                                    " is not a loopback address, and plain HTTP would show tokens "
                                    "and plaintexts to the network: give it a certificate");
  }
  return resolved;
}

auto FailedToListen(const std::string& path, int why) {
  return Fail(Code::kUnavailable, "failed to listen on " + path + ": " + std::strerror(why) +
                                      (why == ENOENT ? ": its directory must be there" : ""));
}

Status CheckSocketPath(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) {
    if (S_ISSOCK(found.st_mode)) return {};
    return InUse(path);
  }
  const std::string directory = std::filesystem::path(path).parent_path().string();
  if (errno == ENOENT && ::access(directory.c_str(), W_OK | X_OK) == 0) return {};
  return FailedToListen(path, errno);
}

}  // namespace

Status ListeningSocket::Check(const Listener& listener) {
  if (listener.kind == Listener::Kind::kUnix) return CheckSocketPath(listener.address);
  COFFER_TRY(Resolve(listener));
  return {};
}

Result<ListeningSocket> ListeningSocket::Open(const Listener& listener) {
  return listener.kind == Listener::Kind::kTcp ? OpenTcp(listener)
                                               : OpenUnix(listener.address, listener.mode);
}

Result<ListeningSocket> ListeningSocket::OpenTcp(const Listener& listener) {
  const std::string& address = listener.address;
  COFFER_ASSIGN(const Resolved found, Resolve(listener));
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(Code::kInternal, "failed to make a socket", std::strerror(errno));
  ListeningSocket socket(fd, Listener::Kind::kTcp, address);
  const int one = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(fd, found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd, kBacklog) != 0) {
    if (errno == EADDRINUSE) return InUse(address);
    return Fail(Code::kUnavailable, "failed to listen on " + address + ": " + std::strerror(errno));
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  std::uint16_t port = 0;
  const std::string host = TextOf(bound, port);
  socket.address_ =
      (bound.ss_family == AF_INET6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  return socket;
}

Result<ListeningSocket> ListeningSocket::OpenUnix(const std::string& path, unsigned mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Fail(Code::kInvalid,
                "socket path " + path + " is empty or too long (107 bytes at most)");
  }
  path.copy(address.sun_path, path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(Code::kInternal, "failed to make a socket", std::strerror(errno));
  const auto* const raw = reinterpret_cast<const sockaddr*>(&address);
  // The mask keeps other users from connecting between bind and chmod.
  const mode_t before = ::umask(0177);
  int bound = ::bind(fd, raw, sizeof address);
  if (bound != 0 && errno == EADDRINUSE && RemoveStaleSocket(path, address)) {
    bound = ::bind(fd, raw, sizeof address);
  }
  const int why = errno;
  ::umask(before);
  if (bound != 0) {
    ::close(fd);
    if (why == EADDRINUSE) return InUse(path);
    return FailedToListen(path, why);
  }
  ListeningSocket socket(fd, Listener::Kind::kUnix, path);
  if (::chmod(path.c_str(), mode) != 0 || ::listen(fd, kBacklog) != 0) {
    return Fail(Code::kUnavailable, "failed to listen on " + path + ": " + std::strerror(errno));
  }
  return socket;
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), kind_(other.kind_), address_(std::move(other.address_)) {}

ListeningSocket::~ListeningSocket() {
  if (fd_ < 0) return;
  if (kind_ == Listener::Kind::kUnix) ::unlink(address_.c_str());
  ::close(fd_);
}

Peer ListeningSocket::Accept() const {
  Peer peer;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  int fd = -1;
  do {
    fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  peer.socket = Socket(fd);
  if (fd < 0) return peer;
  if (kind_ == Listener::Kind::kUnix) {
    peer.address = "@";
    ucred credentials{};
    socklen_t room = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &room) == 0) {
      peer.unix_client = UnixCredentials{credentials.pid, credentials.uid, credentials.gid};
    }
    return peer;
  }
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  peer.address = CanonicalAddress(TextOf(from, peer.port));
  return peer;
}

Result<std::shared_ptr<ListenerTerms>> ListenerTerms::Make(std::size_t index,
                                                           const Listener& listener) {
  std::shared_ptr<ListenerTerms> terms(new ListenerTerms(index, listener));
  COFFER_ASSIGN(terms->trusted_, AddressSet::Parse(listener.trusted_proxies));
  if (listener.proxy_protocol && terms->trusted_.empty()) {
    return Fail(Code::kInvalid, "a PROXY header is believed of trusted proxies only: name them");
  }
  COFFER_ASSIGN(terms->tls_, terms->ReadTls());
  return terms;
}

std::shared_ptr<const TlsContext> ListenerTerms::Tls() const {
  const std::lock_guard lock(mutex_);
  return tls_;
}

Result<std::shared_ptr<const TlsContext>> ListenerTerms::ReadTls() const {
  if (!listener_.tls) return std::shared_ptr<const TlsContext>();
  return TlsContext::Load(*listener_.tls);
}

void ListenerTerms::SetTls(std::shared_ptr<const TlsContext> tls) {
  const std::lock_guard lock(mutex_);
  tls_ = std::move(tls);
}

}  // namespace coffer::http
