#include "coffer/http/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>

#include "coffer/base/counters.h"
#include "http/listener.h"
#include "http/worker.h"

namespace coffer::http {

struct Server::Impl {
  Impl(const Options& settings, Handler& handler, Logger& log)
      : options(settings),
        logger(log),
        limits(std::make_shared<ConnectionLimits>(settings.max_connections,
                                                  settings.max_connections_per_address)),
        workers(options, handler, limits, log) {}
  ~Impl() { StopAccepting(); }

  // False if there is no room for the connection, or it comes from where it must not: it is closed.
  bool Admit(Peer& peer, const std::shared_ptr<ListenerTerms>& way) {
    const bool admitted = Enter(peer, way);
    (admitted ? accepted : turned_away).Add();
    return admitted;
  }

  bool Enter(Peer& peer, const std::shared_ptr<ListenerTerms>& way) const {
    const bool trusted = way->Trusted().Contains(peer.address);
    if (way->ProxyProtocol() && !trusted) return false;
    const bool counted = !trusted && !peer.unix_client;
    auto lease = limits->Enter(counted ? std::string_view(peer.address) : std::string_view());
    if (!lease) return false;
    peer.lease = std::move(*lease);
    peer.terms = way;
    peer.tls = way->Tls();
    return true;
  }

  void AcceptFrom(std::size_t index) {
    // One round accepts at most as many as can be waiting; the next poll tells of more.
    for (int i = 0; i < kBacklog; ++i) {
      Peer peer = sockets[index].Accept();
      if (peer.socket.Fd() < 0) {
        // Out of descriptors, accept fails at once for ever: give the workers time to close some.
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS) ::poll(nullptr, 0, 10);
        return;
      }
      if (Admit(peer, terms[index])) workers.Take(std::move(peer));
    }
  }

  void AcceptLoop() {
    std::vector<pollfd> watched;
    watched.push_back({stop_fd, POLLIN, 0});
    for (const ListeningSocket& socket : sockets) watched.push_back({socket.Fd(), POLLIN, 0});
    while (!stopping.load()) {
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      for (std::size_t i = 1; i < watched.size(); ++i) {
        if (watched[i].revents != 0) AcceptFrom(i - 1);
      }
    }
  }

  void StopAccepting() {
    if (!acceptor.joinable()) return;
    stopping.store(true);
    const std::uint64_t one = 1;
    static_cast<void>(!::write(stop_fd, &one, sizeof one));
    acceptor.join();
    // A client that was waiting to be accepted may have sent a request already.
    for (std::size_t i = 0; i < sockets.size(); ++i) AcceptFrom(i);
    sockets.clear();
    ::close(stop_fd);
  }

  const Options options;
  Logger& logger;
  const std::shared_ptr<ConnectionLimits> limits;
  Workers workers;
  std::vector<std::shared_ptr<ListenerTerms>> terms;  // in the order of Options::listeners
  std::vector<ListeningSocket> sockets;               // in the same order
  std::vector<std::string> addresses;
  Counter accepted;
  Counter turned_away;
  int stop_fd = -1;
  std::atomic<bool> stopping{false};
  std::thread acceptor;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(const Options& options, Handler& handler,
                                              Logger& logger) {
  if (options.workers == 0 || options.listeners.empty()) {
    return Fail(Code::kInvalid, "a server needs a worker and an address to listen on");
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::shared_ptr<ListenerTerms>> terms;
  std::vector<ListeningSocket> sockets;
  for (const Listener& listener : options.listeners) {
    COFFER_ASSIGN(auto made, ListenerTerms::Make(terms.size(), listener));
    terms.push_back(std::move(made));
    COFFER_ASSIGN(ListeningSocket socket, ListeningSocket::Open(listener));
    sockets.push_back(std::move(socket));
  }
  auto impl = std::make_unique<Impl>(options, handler, logger);
  for (const ListeningSocket& socket : sockets) impl->addresses.push_back(socket.Address());
  impl->terms = std::move(terms);
  impl->sockets = std::move(sockets);
  impl->stop_fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  impl->acceptor = std::thread([raw = impl.get()] { raw->AcceptLoop(); });
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Status Server::Check(const Listener& listener) {
  COFFER_TRY(ListenerTerms::Make(0, listener));
  return ListeningSocket::Check(listener);
}

Status Server::TryListen(const Listener& listener) {
  COFFER_TRY(ListeningSocket::Open(listener));
  return {};
}

const std::vector<std::string>& Server::Addresses() const { return impl_->addresses; }

Result<Server::TlsSwitch> Server::ReadTls() const {
  std::vector<std::shared_ptr<const TlsContext>> contexts;
  for (const auto& terms : impl_->terms) {
    COFFER_ASSIGN(auto context, terms->ReadTls());
    contexts.push_back(std::move(context));
  }
  return TlsSwitch([all = impl_->terms, contexts = std::move(contexts)] {
    for (std::size_t i = 0; i < contexts.size(); ++i) all[i]->SetTls(contexts[i]);
  });
}

void Server::SetWorkerStalled(std::size_t worker, bool stalled) {
  impl_->workers.SetStalled(worker, stalled);
}

std::vector<std::shared_ptr<const WorkClock>> Server::Work() const { return impl_->workers.Work(); }

ServerCounts Server::Counts() const {
  ServerCounts counts;
  counts.open = impl_->limits->Open();
  counts.accepted = impl_->accepted.Value();
  counts.turned_away = impl_->turned_away.Value();
  counts.parked = impl_->workers.Parked();
  counts.buffered_octets = impl_->workers.BufferedOctets();
  return counts;
}

void Server::Drain(std::chrono::milliseconds deadline) {
  impl_->StopAccepting();
  impl_->workers.Drain();
  const auto until = std::chrono::steady_clock::now() + deadline;
  while (impl_->limits->Open() > 0 && std::chrono::steady_clock::now() < until) {
    ::poll(nullptr, 0, 5);
  }
}

}  // namespace coffer::http
