#include "http/stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace coffer::http {
namespace {

class PlainStream final : public Stream {
 public:
  explicit PlainStream(int fd) : fd_(fd) {}

  IoResult Handshake() override { return {}; }
  IoResult Read(std::span<char> into) override {
    return Outcome([&] { return ::recv(fd_, into.data(), into.size(), 0); },
                   IoResult::State::kWaitRead);
  }
  IoResult Write(std::string_view from) override {
    return Outcome([&] { return ::send(fd_, from.data(), from.size(), MSG_NOSIGNAL); },
                   IoResult::State::kWaitWrite);
  }
  void EndWriting() override {}
  std::shared_ptr<const TlsFacts> Facts() const override { return nullptr; }
  bool MayHoldMore(std::size_t) const override { return false; }
  std::string Failure() const override { return {}; }

 private:
  template <typename Call>
  static IoResult Outcome(Call call, IoResult::State wait) {
    ssize_t done = 0;
    do {
      done = call();
    } while (done < 0 && errno == EINTR);
    if (done > 0) return {IoResult::State::kOk, static_cast<std::size_t>(done)};
    if (done == 0) return {IoResult::State::kEnd, 0};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {wait, 0};
    return {IoResult::State::kFailed, 0};
  }
  const int fd_;
};

}  // namespace

std::unique_ptr<Stream> MakePlainStream(int fd) { return std::make_unique<PlainStream>(fd); }

}  // namespace coffer::http
