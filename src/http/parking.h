#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "coffer/http/handler.h"
#include "http/framing.h"
#include "http/mailbox.h"
#include "http/memory_budget.h"

namespace coffer::http {

class ParkingLot;
struct LeaveLot {
  void operator()(ParkingLot* lot) const;
};
// A place in a lot; the lot must outlive it.
using ParkingSpace = std::unique_ptr<ParkingLot, LeaveLot>;

// Counts the requests that are parked in all of a server. Thread-safe.
class ParkingLot {
 public:
  explicit ParkingLot(std::size_t places) : places_(places) {}
  // Null where it is full.
  ParkingSpace Enter() {
    if (taken_.fetch_add(1) < places_) return ParkingSpace(this);
    taken_.fetch_sub(1);
    return nullptr;
  }
  std::size_t Taken() const { return taken_.load(); }
  std::size_t Places() const { return places_; }

 private:
  friend struct LeaveLot;
  const std::size_t places_;
  std::atomic<std::size_t> taken_{0};
};

inline void LeaveLot::operator()(ParkingLot* lot) const { lot->taken_.fetch_sub(1); }

// The state that a parked request and its connection share: whether its work has begun, and whether
// its client has left. Thread-safe.
class ParkingTicket {
 public:
  // Notes that the work begins, or goes on; false if nobody waits for it any more.
  bool Begin() { return (state_.fetch_or(kBegun) & kLeft) == 0; }
  // Notes that the work is done in pieces and asks Begin() before each.
  void GivesWay() { state_.fetch_or(kInPieces); }
  // The fate of the work of a client that has left.
  enum class Rest { kNeverBegins, kIsGivenUp, kGoesOn };
  // Notes that the connection no longer waits.
  Rest Leave() {
    const unsigned before = state_.fetch_or(kLeft);
    if ((before & kBegun) == 0) return Rest::kNeverBegins;
    return (before & kInPieces) == 0 ? Rest::kGoesOn : Rest::kIsGivenUp;
  }

 private:
  static constexpr unsigned kBegun = 1;
  static constexpr unsigned kLeft = 2;
  static constexpr unsigned kInPieces = 4;
  std::atomic<unsigned> state_{0};
};

// The parts that a connection needs to have a request parked.
struct ParkingPlace {
  std::shared_ptr<ParkingLot> lot;
  std::shared_ptr<Mailbox> mailbox;
  std::shared_ptr<MemoryBudget> budget;
  const Handler* handler = nullptr;
  std::uint64_t connection = 0;  // its number at this worker, never used twice
};

// Lets a handler park the request that `framer` has read from `octets`.
class RequestParking final : public Parking {
 public:
  RequestParking(const ParkingPlace& place, std::string_view octets, const RequestFramer& framer,
                 const Request& request, std::shared_ptr<const TlsFacts> tls,
                 MemoryBudget::Share& share)
      : place_(place),
        octets_(octets),
        framer_(framer),
        request_(request),
        tls_(std::move(tls)),
        share_(share) {}

  Result<std::unique_ptr<Parked>> Park() override;
  // Null if the request was not parked.
  const std::shared_ptr<ParkingTicket>& Ticket() const { return ticket_; }

 private:
  const ParkingPlace& place_;
  const std::string_view octets_;
  const RequestFramer& framer_;
  const Request& request_;
  const std::shared_ptr<const TlsFacts> tls_;
  MemoryBudget::Share& share_;  // the connection's
  std::shared_ptr<ParkingTicket> ticket_;
};

}  // namespace coffer::http
