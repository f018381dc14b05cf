#include "http/mailbox.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "http/response_text.h"

namespace coffer::http {

Mailbox::Mailbox() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Mailbox::~Mailbox() {
  Close();
  ::close(wake_);
}

void Mailbox::Wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_, &one, sizeof one));
}

void Mailbox::Put(Peer peer) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    waiting_.peers.push_back(std::move(peer));
  }
  Wake();
}

void Mailbox::Put(std::uint64_t connection, Response response) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      WipeBody(response);
      return;
    }
    waiting_.answers.push_back({connection, std::move(response)});
  }
  Wake();
}

void Mailbox::Put(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;  // its caller's copy is dropped without the lock
    work_.push_back(std::move(work));
  }
  Wake();
}

Mailbox::Delivery Mailbox::Take() {
  const std::lock_guard lock(mutex_);
  for (const Peer& peer : waiting_.peers) sockets_.insert(peer.socket.Fd());
  Delivery taken = std::exchange(waiting_, {});
  if (!work_.empty()) {
    taken.work = std::move(work_.front());
    work_.pop_front();
    if (!work_.empty()) Wake();
  }
  return taken;
}

void Mailbox::Forget(int fd) {
  const std::lock_guard lock(mutex_);
  sockets_.erase(fd);
}

void Mailbox::Close() {
  std::deque<std::function<void()>> dropped;  // without the lock: what it holds may answer here
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (ParkedAnswer& answer : waiting_.answers) WipeBody(answer.response);
    waiting_ = {};
    dropped.swap(work_);
  }
}

std::vector<Peer> Mailbox::Stall() {
  const std::lock_guard lock(mutex_);
  stalled_ = true;
  for (const int fd : sockets_) ::shutdown(fd, SHUT_RDWR);
  return std::exchange(waiting_.peers, {});
}

void Mailbox::Resume() {
  const std::lock_guard lock(mutex_);
  stalled_ = false;
}

bool Mailbox::Stalled() const {
  const std::lock_guard lock(mutex_);
  return stalled_;
}

}  // namespace coffer::http
