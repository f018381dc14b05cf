// Offers requests at a rate, whatever becomes of them, and tells served answers from shed ones.
//   offered_load PORT PATH FILE CONNECTIONS RATE SECONDS
// POSTs FILE with the token of TOKEN. RATE 0: each connection asks again as soon as it is answered.
// Prints one line of JSON; times in milliseconds from sending to the answer's end. "unsent" are
// requests that were due while every connection still waited for an answer.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Client {
  int fd = -1;
  bool busy = false;
  std::size_t sent = 0;
  std::string answer;
  Clock::time_point asked;
};

struct Totals {
  std::vector<double> served;
  std::vector<double> shed;
  std::uint64_t other = 0;
  std::uint64_t broken = 0;
  std::uint64_t unsent = 0;
  std::uint64_t without_retry_after = 0;
};

// Connects from one of many addresses, because a server limits the connections of each address.
int Connect(std::uint16_t port, std::size_t number) {
  constexpr std::size_t kPerAddress = 500;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(number / kPerAddress));
  static_cast<void>(::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    std::perror("offered_load: connect");
    std::exit(1);
  }
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

// The size of the whole answer, or 0 while its head is not complete.
std::size_t AnswerSize(std::string_view answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t at = answer.find(kLength);
  if (at == std::string_view::npos || at > end) return end + 4;
  return end + 4 +
         static_cast<std::size_t>(std::strtoull(answer.data() + at + kLength.size(), nullptr, 10));
}

double Percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto index = static_cast<std::size_t>(share * static_cast<double>(values.size()));
  return values[std::min(index, values.size() - 1)];
}

class Load {
 public:
  Load(std::uint16_t port, std::string request, std::size_t connections, double rate)
      : port_(port),
        request_(std::move(request)),
        clients_(connections),
        rate_(rate),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < clients_.size(); ++i) Open(i);
  }

  void Run(double seconds) {
    const auto begin = Clock::now();
    const auto end =
        begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    std::uint64_t offered = 0;
    for (auto now = begin; now < end; now = Clock::now()) {
      if (rate_ == 0) {
        while (!idle_.empty()) Ask();
      } else {
        const double due = std::chrono::duration<double>(now - begin).count() * rate_;
        for (; static_cast<double>(offered) < due; ++offered) {
          if (idle_.empty()) {
            ++totals.unsent;
          } else {
            Ask();
          }
        }
      }
      Wait(1);
    }
  }

  Totals totals;

 private:
  void Open(std::size_t index) {
    Client& client = clients_[index];
    if (client.fd >= 0) ::close(client.fd);
    client = Client{};
    client.fd = Connect(port_, index);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = index;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event);
    idle_.push_back(index);
  }

  void Ask() {
    const std::size_t index = idle_.front();
    idle_.pop_front();
    Client& client = clients_[index];
    client.busy = true;
    client.sent = 0;
    client.answer.clear();
    client.asked = Clock::now();
    Send(index);
  }

  void Send(std::size_t index) {
    Client& client = clients_[index];
    while (client.sent < request_.size()) {
      const ssize_t sent = ::send(client.fd, request_.data() + client.sent,
                                  request_.size() - client.sent, MSG_NOSIGNAL);
      if (sent <= 0) break;
      client.sent += static_cast<std::size_t>(sent);
    }
    epoll_event event{};
    event.events = EPOLLIN | (client.sent < request_.size() ? EPOLLOUT : 0U);
    event.data.u64 = index;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, client.fd, &event);
  }

  void Wait(int milliseconds) {
    std::array<epoll_event, 256> events{};
    const int count =
        ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds);
    for (int i = 0; i < count; ++i) {
      const auto index = static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64);
      if ((events[static_cast<std::size_t>(i)].events & EPOLLOUT) != 0) Send(index);
      Receive(index);
    }
  }

  void Receive(std::size_t index) {
    Client& client = clients_[index];
    std::array<char, 65536> octets{};
    const ssize_t got = ::recv(client.fd, octets.data(), octets.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      ++totals.broken;
      idle_.erase(std::remove(idle_.begin(), idle_.end(), index), idle_.end());
      Open(index);
      return;
    }
    client.answer.append(octets.data(), static_cast<std::size_t>(got));
    const std::size_t size = AnswerSize(client.answer);
    if (size == 0 || client.answer.size() < size) return;
    Count(client);
    client.busy = false;
    idle_.push_back(index);
  }

  void Count(const Client& client) {
    const double took =
        std::chrono::duration<double, std::milli>(Clock::now() - client.asked).count();
    const std::string_view answer = client.answer;
    if (answer.starts_with("HTTP/1.1 200 ")) {
      totals.served.push_back(took);
    } else if (answer.starts_with("HTTP/1.1 503 ") || answer.starts_with("HTTP/1.1 429 ")) {
      totals.shed.push_back(took);
      if (answer.find("\r\nRetry-After: ") == std::string_view::npos) ++totals.without_retry_after;
    } else {
      ++totals.other;
    }
  }

  const std::uint16_t port_;
  const std::string request_;
  std::vector<Client> clients_;
  // Each has its turn, because a server closes a connection that asks nothing.
  std::deque<std::size_t> idle_;
  const double rate_;
  const int epoll_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: offered_load PORT PATH FILE CONNECTIONS RATE SECONDS\n");
    return 2;
  }
  std::ifstream file(argv[3], std::ios::binary);
  const std::string body{std::istreambuf_iterator<char>(file), {}};
  const char* const token = std::getenv("TOKEN");
  const std::string request =
      "POST " + std::string(argv[2]) +
      " HTTP/1.1\r\nHost: localhost\r\nX-Vault-Token: " + (token != nullptr ? token : "") +
      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  const double seconds = std::atof(argv[6]);
  Load load(static_cast<std::uint16_t>(std::atoi(argv[1])), request,
            static_cast<std::size_t>(std::atoi(argv[4])), std::atof(argv[5]));
  load.Run(seconds);
  Totals& t = load.totals;
  std::printf(
      "{\"served\":%zu,\"served_per_second\":%.1f,\"served_p50\":%.3f,\"served_p99\":%.3f,"
      "\"shed\":%zu,\"shed_p99\":%.3f,\"without_retry_after\":%llu,\"other\":%llu,"
      "\"broken\":%llu,\"unsent\":%llu}\n",
      t.served.size(), static_cast<double>(t.served.size()) / seconds, Percentile(t.served, 0.5),
      Percentile(t.served, 0.99), t.shed.size(), Percentile(t.shed, 0.99),
      static_cast<unsigned long long>(t.without_retry_after),
      static_cast<unsigned long long>(t.other), static_cast<unsigned long long>(t.broken),
      static_cast<unsigned long long>(t.unsent));
  return 0;
}
