#include "http/worker.h"

#include <pistache/reactor.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <unordered_map>
#include <utility>

#include "http/connection.h"
#include "http/mailbox.h"
#include "http/parking.h"
#include "http/response_text.h"

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
  std::shared_ptr<ConnectionLimits> limits;
  std::shared_ptr<ParkingLot> parking_lot;
  std::shared_ptr<MemoryBudget> budget;
  std::atomic<std::size_t> made{0};
};

class Worker final : public Pistache::Aio::Handler {
 public:
  Worker(std::shared_ptr<Shared> shared, std::size_t index)
      : shared_(std::move(shared)),
        index_(index),
        mailbox_(std::make_shared<Mailbox>()),
        tick_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    const itimerspec every{{0, kTickNanoseconds}, {0, kTickNanoseconds}};
    ::timerfd_settime(tick_, 0, &every, nullptr);
  }
  ~Worker() override {
    mailbox_->Close();
    CloseWhere([](std::uint64_t, const Entry&) { return true; });
    ::close(tick_);
  }

  // The reactor makes one of these for each of its threads.
  std::shared_ptr<Pistache::Aio::Handler> clone() const override {
    return std::make_shared<Worker>(shared_, shared_->made.fetch_add(1));
  }

  void registerPoller(Pistache::Polling::Epoll& poller) override {
    poller_ = &poller;
    poller.addFd(mailbox_->WakeFd(), Flags<NotifyOn>(NotifyOn::Read), Tag(kWakeTag));
    poller.addFd(tick_, Flags<NotifyOn>(NotifyOn::Read), Tag(kTickTag));
  }

  // Reads every socket first, so that everything that has arrived is known and waits in one line,
  // handshakes too; then works for one turn.
  void onReady(const Pistache::Aio::FdSet& fds) override {
    for (const auto& entry : fds) {
      const std::uint64_t id = entry.getTag().value();
      at_work_->Begin(Connection::Steady::now());
      if (id == kWakeTag) {
        Drain(mailbox_->WakeFd());
        if (!OrNot([&] { return Deliver(); })) mailbox_->Wake();  // it is tried again
      } else if (id == kTickTag) {
        Drain(tick_);
        Tick();
      } else {
        Look(id, entry.isWritable());
      }
    }
    ServeQueue();
    at_work_->End();
  }

  // Any thread.
  void Put(Peer peer) { mailbox_->Put(std::move(peer)); }
  void StartDraining() {
    draining_request_.store(true);
    mailbox_->Wake();
  }
  std::vector<Peer> Stall() { return mailbox_->Stall(); }
  void Resume() { mailbox_->Resume(); }
  bool Stalled() const { return mailbox_->Stalled(); }
  std::shared_ptr<const WorkClock> Work() const { return at_work_; }

 private:
  struct Entry {
    std::unique_ptr<Connection> connection;
    bool queued = false;
    Connection::Interest watched = Connection::Interest::kRead;
  };

  static void Drain(int fd) {
    std::uint64_t count = 0;
    static_cast<void>(!::read(fd, &count, sizeof count));
  }

  bool Deliver() {
    Mailbox::Delivery delivery = mailbox_->Take();
    for (Peer& peer : delivery.peers) Admit(std::move(peer));
    for (Mailbox::ParkedAnswer& answer : delivery.answers) {
      AnswerParked(answer.connection, answer.response);
    }
    if (delivery.work) slice_ = std::move(delivery.work);
    draining_ = draining_request_.load();
    return true;
  }

  void Admit(Peer peer) {
    const int fd = peer.socket.Fd();
    const std::uint64_t id = next_id_++;
    const bool admitted = OrNot([&] {
      auto connection = std::make_unique<Connection>(std::move(peer), MakeContext());
      connections_.emplace(id, Entry{std::move(connection)});
      return Register(fd, id);
    });
    if (admitted) return;
    Close(id);
    mailbox_->Forget(fd);
  }

  void AnswerParked(std::uint64_t id, Response& response) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) {
      WipeBody(response);  // its client left
      return;
    }
    const Connection::Context context = MakeContext();
    Attend(found->second, id,
           [&](Connection& connection) { return connection.OnParkedAnswer(context, response); });
  }

  Connection::Context MakeContext() {
    return {shared_->options, shared_->handler, shared_->logger,  index_,       !queue_.empty(),
            turn_end_,        request_,         scratch_,         draining_,    place_,
            overload_,        shared_->budget,  *shared_->limits, last_report_, date_};
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

  void Look(std::uint64_t id, bool writable) {
    const auto found = connections_.find(id);
    // A connection that waits for its turn is not read further. It may also have been closed in the
    // same round.
    if (found == connections_.end() || found->second.queued) return;
    const Connection::Context context = MakeContext();
    Attend(found->second, id, [&](Connection& connection) {
      // Handshakes wait in the line like requests: many of them must not come before a request.
      if (connection.InHandshake()) return Enqueue(found->second, id);
      return writable ? connection.OnWritable(context) : connection.OnReadable(context);
    });
  }

  // Has the connection do something, and then registers the events that it waits for next.
  template <typename Call>
  void Attend(Entry& entry, std::uint64_t id, Call call) {
    if (!Stays(entry, id, call)) Close(id);
  }

  template <typename Call>
  bool Stays(Entry& entry, std::uint64_t id, Call call) {
    return OrNot([&] {
      if (call(*entry.connection) == Connection::Next::kClose) return false;
      if (!entry.queued && entry.connection->HasRequest()) Enqueue(entry, id);
      return entry.queued || Watch(entry, id);
    });
  }

  // If there is no memory for one connection, the others go on.
  template <typename Call>
  bool OrNot(Call call) {
    try {
      return call();
    } catch (const std::exception& failure) {
      shared_->logger.Log(LogLevel::kError, "http", "failed to serve a connection",
                          {{"cause", failure.what()}});
      return false;
    }
  }

  void ServeQueue() {
    Connection::Steady::time_point now = Connection::Steady::now();
    turn_end_ = now + shared_->options.turn;
    while (!queue_.empty()) {
      const std::uint64_t id = queue_.front();
      queue_.pop_front();
      at_work_->Begin(now);
      if (const auto found = connections_.find(id); found != connections_.end()) {
        found->second.queued = false;
        place_.connection = id;
        const Connection::Context context = MakeContext();
        Attend(found->second, id, [&](Connection& connection) {
          return connection.HasRequest() ? connection.Serve(context)
                                         : connection.OnReadable(context);
        });
      }
      now = Connection::Steady::now();
      if (now >= turn_end_) break;
    }
    at_work_->Begin(now);
    if (slice_) RunSlice();  // after the requests of this round
    if (!queue_.empty()) mailbox_->Wake();
  }

  void RunSlice() {
    try {
      std::exchange(slice_, {})();
    } catch (const std::exception&
                 failure) {  // the parked request that is dropped with it is answered 500
      shared_->logger.Log(LogLevel::kError, "http", "failed to carry on with long work",
                          {{"cause", failure.what()}});
    }
  }

  Connection::Next Enqueue(Entry& entry, std::uint64_t id) {
    queue_.push_back(id);
    entry.queued = true;
    return Connection::Next::kKeep;
  }

  bool Watch(Entry& entry, std::uint64_t id) {
    const Connection::Interest wanted = entry.connection->Wants();
    if (wanted == entry.watched) return true;
    entry.watched = wanted;
    try {
      poller_->rearmFd(entry.connection->Fd(), Flags<NotifyOn>(NotificationsFor(wanted)), Tag(id));
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  // EPOLLRDHUP tells that the client ended its sending half; epoll always reports a broken socket.
  static NotifyOn NotificationsFor(Connection::Interest wanted) {
    switch (wanted) {
      case Connection::Interest::kRead:
        return NotifyOn::Read;
      case Connection::Interest::kWrite:
        return NotifyOn::Write;
      case Connection::Interest::kEnd:
        return NotifyOn::Shutdown;
      case Connection::Interest::kWriteOrEnd:
        return NotifyOn::Write | NotifyOn::Shutdown;
    }
    return NotifyOn::None;
  }

  void Tick() {
    const auto now = Connection::Steady::now();
    const Connection::Context context = MakeContext();
    CloseWhere([&](std::uint64_t id, Entry& entry) {
      return !Stays(entry, id,
                    [&](Connection& connection) { return connection.OnTick(now, context); });
    });
  }

  template <typename Condition>
  void CloseWhere(Condition condition) {
    for (auto it = connections_.begin(); it != connections_.end();) {
      if (condition(it->first, it->second)) {
        it = Erase(it);
      } else {
        ++it;
      }
    }
  }
  void Close(std::uint64_t id) {
    if (const auto found = connections_.find(id); found != connections_.end()) Erase(found);
  }
  // Closing the descriptor also removes it from epoll.
  std::unordered_map<std::uint64_t, Entry>::iterator Erase(
      std::unordered_map<std::uint64_t, Entry>::iterator entry) {
    mailbox_->Forget(entry->second.connection->Fd());
    return connections_.erase(entry);
  }

  const std::shared_ptr<Shared> shared_;
  const std::size_t index_;
  const std::shared_ptr<Mailbox> mailbox_;
  const int tick_;
  Pistache::Polling::Epoll* poller_ = nullptr;
  const std::shared_ptr<WorkClock> at_work_ = std::make_shared<WorkClock>();

  std::atomic<bool> draining_request_{false};

  // Only this worker's thread uses the members below.
  std::unordered_map<std::uint64_t, Entry> connections_;
  std::uint64_t next_id_ = kFirstConnection;
  Request request_;
  Scratch scratch_;
  ParkingPlace place_{shared_->parking_lot, mailbox_, shared_->budget, &shared_->handler, 0};
  std::function<void()> slice_;  // the next piece of long work; one is run in each round
  // The connections that wait for their turn, in the order in which they came.
  std::deque<std::uint64_t> queue_;
  Connection::Steady::time_point turn_end_{};
  const OverloadGuard overload_{shared_->options.queue_timeout};
  Connection::Steady::time_point last_report_{};
  DateLine date_;
  bool draining_ = false;
};

}  // namespace

struct Workers::Reactor {
  std::shared_ptr<Shared> shared;
  std::shared_ptr<Pistache::Aio::Reactor> reactor;
  std::vector<std::shared_ptr<Worker>> workers;
};

Workers::Workers(const Options& options, Handler& handler, std::shared_ptr<ConnectionLimits> limits,
                 Logger& logger)
    : reactor_(std::make_unique<Reactor>()) {
  auto shared = std::shared_ptr<Shared>(new Shared{
      options, handler, logger, std::move(limits), std::make_shared<ParkingLot>(options.max_parked),
      std::make_shared<MemoryBudget>(
          options.max_buffered_bytes,
          std::min(options.max_unknown_bytes, options.max_buffered_bytes / 4))});
  reactor_->shared = shared;
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

void Workers::Take(Peer peer) {
  for (std::size_t tried = 0; tried < reactor_->workers.size(); ++tried) {
    Worker& worker = *reactor_->workers[next_.fetch_add(1) % reactor_->workers.size()];
    if (worker.Stalled()) continue;
    worker.Put(std::move(peer));
    return;
  }
  // No worker can take the connection, so it is closed.
}

void Workers::SetStalled(std::size_t worker, bool stalled) {
  if (!stalled) {
    reactor_->workers.at(worker)->Resume();
    return;
  }
  for (Peer& peer : reactor_->workers.at(worker)->Stall()) Take(std::move(peer));
}

std::vector<std::shared_ptr<const WorkClock>> Workers::Work() const {
  std::vector<std::shared_ptr<const WorkClock>> clocks;
  for (const auto& worker : reactor_->workers) clocks.push_back(worker->Work());
  return clocks;
}

std::size_t Workers::Parked() const { return reactor_->shared->parking_lot->Taken(); }
std::size_t Workers::BufferedOctets() const { return reactor_->shared->budget->Used(); }

void Workers::Drain() {
  for (const auto& worker : reactor_->workers) worker->StartDraining();
}

}  // namespace coffer::http
