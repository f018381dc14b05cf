#include "audit/stream_operations.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <utility>

#include "coffer/base/clock.h"

namespace coffer::audit {
namespace {

int OrError(int result) { return result < 0 ? -errno : result; }
std::int64_t OrError(ssize_t result) { return result < 0 ? -errno : result; }

// The operations that all streams share: they have no past, no name and no place on a disk.
class Streams : public FileOperations {
 public:
  void Close(int file) override { ::close(file); }
  int WaitWritable(int file, std::chrono::milliseconds wait) override {
    pollfd waiting{file, POLLOUT, 0};
    return OrError(::poll(&waiting, 1, static_cast<int>(wait.count())));
  }
  std::int64_t Read(int, std::uint64_t, MutableBytes) override { return -ESPIPE; }
  int Sync(int) override { return 0; }
  int Inspect(int, Facts& facts) override {
    facts = {};
    facts.links = 1;
    return 0;
  }
  int Inspect(const std::filesystem::path&, Facts& facts) override { return Inspect(-1, facts); }
  int Rename(const std::filesystem::path&, const std::filesystem::path&) override {
    return -EINVAL;
  }
  int SyncDirectory(const std::filesystem::path&) override { return 0; }
  std::int64_t FreeSpace(int) override { return INT64_MAX; }
};

// The process's standard output or error. It is shared with the program that started the process,
// so it is not made non-blocking: a pipe that poll() finds writable takes PIPE_BUF bytes at once.
class StandardStream final : public Streams {
 public:
  explicit StandardStream(int stream) : stream_(stream) {}
  int Open(const std::filesystem::path&) override {
    return OrError(::fcntl(stream_, F_DUPFD_CLOEXEC, 3));
  }
  std::int64_t Write(int file, std::string_view octets) override {
    struct stat found {};
    if (::fstat(file, &found) != 0) return -errno;
    if (S_ISSOCK(found.st_mode)) {
      return OrError(::send(file, octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    }
    pollfd ready{file, POLLOUT, 0};
    if (::poll(&ready, 1, 0) < 0) return -errno;
    if ((ready.revents & POLLERR) != 0) return -EPIPE;
    if ((ready.revents & POLLOUT) == 0) return -EAGAIN;
    if (S_ISFIFO(found.st_mode) && octets.size() > PIPE_BUF) {
      // Whole lines, so that what others write to the stream stands between two of them.
      const std::size_t end = octets.substr(0, PIPE_BUF).rfind('\n');
      octets = octets.substr(0, end == std::string_view::npos ? PIPE_BUF : end + 1);
    }
    return OrError(::write(file, octets.data(), octets.size()));
  }

 private:
  const int stream_;
};

int ConnectTo(int family, int type, const sockaddr* address, socklen_t octets,
              std::chrono::milliseconds wait) {
  const int file = ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (file < 0) return -errno;
  int error = ::connect(file, address, octets) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd connecting{file, POLLOUT, 0};
    const int ready = ::poll(&connecting, 1, static_cast<int>(wait.count()));
    socklen_t size = sizeof error;
    if (ready < 0) {
      error = errno;
    } else if (ready == 0) {
      error = ETIMEDOUT;
    } else if (::getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
      error = errno;
    }
  }
  if (error == 0) return file;
  ::close(file);
  return -error;
}

int ConnectToPath(int type, const std::string& path, std::chrono::milliseconds wait) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return -ENAMETOOLONG;
  std::copy(path.begin(), path.end(), address.sun_path);
  return ConnectTo(AF_UNIX, type, reinterpret_cast<const sockaddr*>(&address), sizeof address,
                   wait);
}

// "host:port" or "[::1]:port".
int ConnectToHost(int type, const std::string& address, std::chrono::milliseconds wait) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return -EINVAL;
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo wanted{};
  wanted.ai_socktype = type;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &wanted, &found) != 0) {
    return -EHOSTUNREACH;
  }
  int file = -EHOSTUNREACH;
  for (const addrinfo* one = found; one != nullptr && file < 0; one = one->ai_next) {
    file = ConnectTo(one->ai_family, type, one->ai_addr, one->ai_addrlen, wait);
  }
  ::freeaddrinfo(found);
  return file;
}

class Socket final : public Streams {
 public:
  explicit Socket(const DeviceSettings& settings) : settings_(settings) {}
  int Open(const std::filesystem::path&) override {
    switch (settings_.transport) {
      case Transport::kUnix:
        return ConnectToPath(SOCK_STREAM, settings_.address, settings_.write_wait);
      case Transport::kUdp:
        return ConnectToHost(SOCK_DGRAM, settings_.address, settings_.write_wait);
      case Transport::kTcp:
        break;
    }
    return ConnectToHost(SOCK_STREAM, settings_.address, settings_.write_wait);
  }
  std::int64_t Write(int file, std::string_view octets) override {
    // Asks first if the peer has closed the connection: a write alone would notice that only the
    // second time.
    pollfd peer{file, POLLRDHUP, 0};
    if (::poll(&peer, 1, 0) < 0) return -errno;
    if ((peer.revents & (POLLRDHUP | POLLHUP)) != 0) return -EPIPE;
    if (settings_.transport == Transport::kUdp) octets = octets.substr(0, octets.find('\n') + 1);
    return OrError(::send(file, octets.data(), octets.size(), MSG_NOSIGNAL));
  }

 private:
  const DeviceSettings settings_;
};

// The system's log, one datagram for each line, as syslog(3) writes them. syslog(3) itself is not
// used because it hides errors.
class SystemLog final : public Streams {
 public:
  explicit SystemLog(const DeviceSettings& settings) : settings_(settings) {}
  int Open(const std::filesystem::path&) override {
    return ConnectToPath(SOCK_DGRAM, settings_.address, settings_.write_wait);
  }
  std::int64_t Write(int file, std::string_view octets) override {
    const std::size_t taken = octets.find('\n') + 1;
    std::string message = "<" + std::to_string(settings_.facility * 8 + LOG_INFO) + ">";
    std::array<char, 32> time{};
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    message.append(time.data(), std::strftime(time.data(), time.size(), "%b %e %T ", &local));
    message += settings_.tag + "[" + std::to_string(::getpid()) + "]: ";
    message += octets.substr(0, taken - 1);
    const std::int64_t sent = OrError(::send(file, message.data(), message.size(), MSG_NOSIGNAL));
    return sent < 0 ? sent : static_cast<std::int64_t>(taken);
  }

 private:
  const DeviceSettings settings_;
};

}  // namespace

std::unique_ptr<FileOperations> OpenStreams(const DeviceSettings& settings, int output) {
  switch (settings.type) {
    case DeviceType::kStdout:
      return std::make_unique<StandardStream>(output);
    case DeviceType::kStderr:
      return std::make_unique<StandardStream>(STDERR_FILENO);
    case DeviceType::kSyslog:
      return std::make_unique<SystemLog>(settings);
    case DeviceType::kSocket:
      return std::make_unique<Socket>(settings);
    case DeviceType::kFile:
      break;
  }
  return nullptr;
}

}  // namespace coffer::audit
