#pragma once

#include <cstdint>

#include "coffer/base/result.h"
#include "endpoint_table.h"

namespace coffer::api {

// The cost of a batch, which decides how it is carried out.
struct BatchCost {
  std::int64_t total = 0;  // in operations of a secret key, about
  std::int64_t each = 1;
};

// A batch of more than this gives way to the worker's other connections.
inline constexpr std::int64_t kBatchCostAtOnce = 128;
inline constexpr std::int64_t kMaxBatchCost = 10'000;

// Zero where the request is no batch; kInvalid, naming the limit, where it costs more than a
// request may.
Result<BatchCost> CostOfBatch(const Call& call, BatchKind kind);

}  // namespace coffer::api
