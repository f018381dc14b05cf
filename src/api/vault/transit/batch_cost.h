#pragma once

#include <cstdint>

#include "api/endpoint.h"
#include "coffer/base/result.h"

namespace coffer::api {

// More than this no request may cost.
inline constexpr std::int64_t kMaxBatchCost = 10'000;

// The cost of a request's batch_input: zero where it is no batch; kInvalid, naming the limit, where
// it costs more than a request may. Items of a secret key all cost the same.
Result<BatchCost> CostOfItems(const Call& call);
// An RSA private key's items are dear.
Result<BatchCost> CostOfPrivateKeyItems(const Call& call);

}  // namespace coffer::api
