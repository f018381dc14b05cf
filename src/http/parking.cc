#include "http/parking.h"

#include <exception>
#include <functional>
#include <string>
#include <utility>

#include "coffer/base/secret_bytes.h"
#include "http/response_text.h"

namespace coffer::http {
namespace {

class ParkedRequest final : public Parked {
 public:
  ParkedRequest(ParkingPlace place, ParkingSpace space, std::string_view octets,
                const RequestFramer& framer, const Request& original,
                std::shared_ptr<const TlsFacts> tls, std::shared_ptr<ParkingTicket> ticket,
                std::unique_ptr<MemoryBudget::Share> share)
      : place_(std::move(place)),
        space_(std::move(space)),
        octets_(octets),
        framer_(framer),
        remote_address_(original.remote_address),
        tls_(std::move(tls)),
        ticket_(std::move(ticket)),
        share_(std::move(share)) {
    static_cast<void>(framer_.Fill(octets_, request_));  // it was filled before
    request_.remote_address = remote_address_;
    request_.remote_port = original.remote_port;
    request_.listener = original.listener;
    request_.tls = tls_.get();
    if (original.unix_client != nullptr) {
      unix_client_ = *original.unix_client;
      request_.unix_client = &unix_client_;
    }
    request_.worker = original.worker;
    request_.received = original.received;
    request_.memory = share_.get();
  }
  ~ParkedRequest() override {
    if (!answered_) AnswerUnlessMemoryIsOut();
    framer_.Reset();
    SecureWipe(octets_.data(), octets_.size());
  }
  ParkedRequest(const ParkedRequest&) = delete;
  ParkedRequest& operator=(const ParkedRequest&) = delete;

  Request& Asked() override { return request_; }
  bool Begin() override { return ticket_->Begin(); }
  void Later(std::function<void()> work) override {
    ticket_->GivesWay();
    place_.mailbox->Put(std::move(work));
  }
  void Answer(Response response) override {
    answered_ = true;
    place_.mailbox->Put(place_.connection, std::move(response));
  }

 private:
  // If this fails, the client waits until parked_timeout.
  void AnswerUnlessMemoryIsOut() noexcept {
    try {
      Answer(ErrorResponse({500, "internal error"}, *place_.handler));
    } catch (const std::exception&) {
    }
  }

  const ParkingPlace place_;
  const ParkingSpace space_;
  std::string octets_;
  RequestFramer framer_;
  const std::string remote_address_;
  const std::shared_ptr<const TlsFacts> tls_;
  UnixCredentials unix_client_;
  const std::shared_ptr<ParkingTicket> ticket_;
  Request request_;  // views into the above
  const std::unique_ptr<MemoryBudget::Share> share_;
  bool answered_ = false;
};

}  // namespace

Result<std::unique_ptr<Parked>> RequestParking::Park() {
  if (ticket_ != nullptr) return Fail(Code::kInternal, "");
  ParkingSpace space = place_.lot->Enter();
  if (space == nullptr) {
    return Fail(Code::kUnavailable, "too many requests wait for their turn, try again: at most " +
                                        std::to_string(place_.lot->Places()));
  }
  // The connection's buffers are given back as soon as they are copied.
  const Owner owner = share_.Whose();
  share_.Note(owner, 0);
  auto share = std::make_unique<MemoryBudget::Share>(place_.budget);
  if (!share->Ask(owner, octets_.size() + framer_.DecodedBodyCapacity()))
    return Fail(share->Full());
  auto ticket = std::make_shared<ParkingTicket>();
  auto parked = std::make_unique<ParkedRequest>(place_, std::move(space), octets_, framer_,
                                                request_, tls_, ticket, std::move(share));
  ticket_ = std::move(ticket);
  return parked;
}

}  // namespace coffer::http
