#include "http/worker.h"

#include <pistache/reactor.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>
#include <exception>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace coffer::http {
namespace {

using Pistache::Flags;
using Pistache::Polling::NotifyOn;
using Pistache::Polling::Tag;

// Connections are known to epoll by a number that is never used twice, not by their descriptor.
constexpr std::uint64_t kWakeTag = 0;
constexpr std::uint64_t kTickTag = 1;
constexpr std::uint64_t kFirstConnection = 2;
constexpr std::int64_t kTickNanoseconds = 250'000'000;

struct Shared {
  const Options& options;
  Handler& handler;
  Logger& logger;
  std::shared_ptr<std::atomic<std::size_t>> connections;
  std::atomic<std::size_t> made{0};
};

class Worker final : public Pistache::Aio::Handler {
 public:
  Worker(std::shared_ptr<Shared> shared, std::size_t index)
      : shared_(std::move(shared)),
        index_(index),
        wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        tick_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    const itimerspec every{{0, kTickNanoseconds}, {0, kTickNanoseconds}};
    ::timerfd_settime(tick_, 0, &every, nullptr);
  }
  ~Worker() override {
    shared_->connections->fetch_sub(connections_.size());
    connections_.clear();
    for (const Connection::Peer& peer : inbox_) ::close(peer.fd);
    ::close(wake_);
    ::close(tick_);
  }

  // The reactor makes one of these for each of its threads.
  std::shared_ptr<Pistache::Aio::Handler> clone() const override {
    return std::make_shared<Worker>(shared_, shared_->made.fetch_add(1));
  }

  void registerPoller(Pistache::Polling::Epoll& poller) override {
    poller_ = &poller;
    poller.addFd(wake_, Flags<NotifyOn>(NotifyOn::Read), Tag(kWakeTag));
    poller.addFd(tick_, Flags<NotifyOn>(NotifyOn::Read), Tag(kTickTag));
  }

  void onReady(const Pistache::Aio::FdSet& fds) override {
    for (const auto& entry : fds) {
      const std::uint64_t id = entry.getTag().value();
      if (id == kWakeTag) {
        Drain(wake_);
        Admit();
      } else if (id == kTickTag) {
        Drain(tick_);
        Tick();
      } else {
        Serve(id, entry.isWritable());
      }
    }
  }

  // Any thread.
  void Put(Connection::Peer peer) {
    {
      const std::lock_guard lock(mutex_);
      inbox_.push_back(std::move(peer));
    }
    Wake();
  }
  void StartDraining() {
    draining_request_.store(true);
    Wake();
  }

 private:
  struct Entry {
    std::unique_ptr<Connection> connection;
    bool watching_write = false;
  };

  static void Drain(int fd) {
    std::uint64_t count = 0;
    static_cast<void>(!::read(fd, &count, sizeof count));
  }
  void Wake() const {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(wake_, &one, sizeof one));
  }

  void Admit() {
    std::vector<Connection::Peer> arrived;
    {
      const std::lock_guard lock(mutex_);
      arrived.swap(inbox_);
    }
    for (Connection::Peer& peer : arrived) {
      const int fd = peer.fd;
      auto connection = std::make_unique<Connection>(std::move(peer), shared_->options);
      shared_->connections->fetch_add(1);
      const std::uint64_t id = next_id_++;
      connections_.emplace(id, Entry{std::move(connection), false});
      if (!Register(fd, id)) Close(id);
    }
    if (draining_request_.load() && !draining_) {
      draining_ = true;
      CloseWhere([](Connection& connection) { return connection.Idle(); });
    }
  }

  bool Register(int fd, std::uint64_t id) {
    try {
      poller_->addFd(fd, Flags<NotifyOn>(NotifyOn::Read), Tag(id));
      return true;
    } catch (const std::exception& failure) {
      shared_->logger.Log(LogLevel::kError, "http", "failed to watch a connection",
                          {{"cause", failure.what()}});
      return false;
    }
  }

  void Serve(std::uint64_t id, bool writable) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;  // closed earlier in the same round
    Connection& connection = *found->second.connection;
    const Connection::Context context{shared_->options, shared_->handler, index_, request_,
                                      draining_};
    const Connection::Next next = writable && connection.WantsWrite()
                                      ? connection.OnWritable(context)
                                      : connection.OnReadable(context);
    if (next == Connection::Next::kClose) {
      Close(id);
    } else {
      Watch(found->second, id);
    }
  }

  // While an answer waits for its reader only writability matters: nothing more is read from him.
  void Watch(Entry& entry, std::uint64_t id) {
    const bool write = entry.connection->WantsWrite();
    if (write == entry.watching_write) return;
    entry.watching_write = write;
    try {
      poller_->rearmFd(entry.connection->Fd(),
                       Flags<NotifyOn>(write ? NotifyOn::Write : NotifyOn::Read), Tag(id));
    } catch (const std::exception&) {
      Close(id);
    }
  }

  void Tick() {
    const auto now = Connection::Steady::now();
    CloseWhere([&](Connection& connection) {
      return connection.OnTick(now, shared_->options) == Connection::Next::kClose;
    });
  }

  template <typename Condition>
  void CloseWhere(Condition condition) {
    for (auto it = connections_.begin(); it != connections_.end();) {
      if (condition(*it->second.connection)) {
        it = connections_.erase(it);  // closing the descriptor takes it out of epoll
        shared_->connections->fetch_sub(1);
      } else {
        ++it;
      }
    }
  }
  void Close(std::uint64_t id) { shared_->connections->fetch_sub(connections_.erase(id)); }

  const std::shared_ptr<Shared> shared_;
  const std::size_t index_;
  const int wake_;
  const int tick_;
  Pistache::Polling::Epoll* poller_ = nullptr;

  std::mutex mutex_;
  std::vector<Connection::Peer> inbox_;  // protected by mutex_
  std::atomic<bool> draining_request_{false};

  // This worker's thread only.
  std::unordered_map<std::uint64_t, Entry> connections_;
  std::uint64_t next_id_ = kFirstConnection;
  Request request_;
  bool draining_ = false;
};

}  // namespace

struct Workers::Reactor {
  std::shared_ptr<Pistache::Aio::Reactor> reactor;
  std::vector<std::shared_ptr<Worker>> workers;
};

Workers::Workers(const Options& options, Handler& handler, Logger& logger)
    : connections_(std::make_shared<std::atomic<std::size_t>>(0)),
      reactor_(std::make_unique<Reactor>()) {
  auto shared = std::shared_ptr<Shared>(new Shared{options, handler, logger, connections_});
  reactor_->reactor = Pistache::Aio::Reactor::create();
  reactor_->reactor->init(Pistache::Aio::AsyncContext(options.workers, "coffer-http"));
  const auto key = reactor_->reactor->addHandler(std::make_shared<Worker>(shared, 0));
  for (const auto& made : reactor_->reactor->handlers(key)) {
    reactor_->workers.push_back(std::static_pointer_cast<Worker>(made));
  }
  reactor_->reactor->run();
}

Workers::~Workers() {
  reactor_->reactor->shutdown();
  reactor_->reactor.reset();  // joins the threads
}

void Workers::Take(Connection::Peer peer) {
  const std::size_t turn = next_.fetch_add(1) % reactor_->workers.size();
  reactor_->workers[turn]->Put(std::move(peer));
}

void Workers::Drain() {
  for (const auto& worker : reactor_->workers) worker->StartDraining();
}

}  // namespace coffer::http
