#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "api/endpoint.h"
#include "api/vault/transit/decoded_inputs.h"

namespace coffer::api {

// The rest of a batch. It carries out as many items at a time as the call allows, and writes the
// answer after the last one.
template <typename Item, typename Output, typename Work, typename Answer>
class RestOfBatch final : public UnfinishedWork {
 public:
  RestOfBatch(std::size_t items_at_once, Decoded<Item, Output> decoded, Work work, Answer answer)
      : items_at_once_(items_at_once),
        decoded_(std::move(decoded)),
        work_(std::move(work)),
        answer_(std::move(answer)) {}

  Result<bool> Continue(std::chrono::steady_clock::time_point until) override {
    const std::span<Item> items = decoded_.items;
    while (true) {
      const std::size_t count = std::min(items_at_once_, items.size() - done_);
      COFFER_ASSIGN(auto outputs,
                    work_(items.subspan(done_, count)));  // none: the key is looked at
      decoded_.Place(outputs, done_);
      done_ += count;
      if (done_ == items.size()) break;
      if (std::chrono::steady_clock::now() >= until) return false;
    }
    COFFER_TRY(answer_(decoded_.results));
    return true;
  }

 private:
  const std::size_t items_at_once_;
  Decoded<Item, Output> decoded_;
  Work work_;
  Answer answer_;
  std::size_t done_ = 0;
};

// Has `work` carry out the decoded items and `answer` write what came of all of them: now, or
// piece by piece where the call gives way. Both may refer to the call and the reply.
template <typename Item, typename Output, typename Work, typename Answer>
Status CarryOut(const Call& call, Reply& reply, Decoded<Item, Output> decoded, Work work,
                Answer answer) {
  if (call.items_at_once > 0) {
    if (call.request.memory != nullptr) {
      constexpr std::size_t kAnswered = 256;  // each item's part of the answer, and of what made it
      constexpr std::size_t kEach = sizeof(Item) + sizeof(Result<Output>) + kAnswered;
      COFFER_TRY(
          call.request.memory->Take(decoded.results.size() * kEach + 2 * call.request.body.size()));
    }
    reply.rest = std::make_unique<RestOfBatch<Item, Output, Work, Answer>>(
        call.items_at_once, std::move(decoded), std::move(work), std::move(answer));
    return {};
  }
  COFFER_ASSIGN(auto outputs, work(std::span<Item>(decoded.items)));
  decoded.Place(outputs, 0);
  return answer(decoded.results);
}

}  // namespace coffer::api
