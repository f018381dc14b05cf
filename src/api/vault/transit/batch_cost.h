#pragma once

#include <cstdint>

#include "api/endpoint.h"
#include "coffer/base/result.h"

namespace coffer::api {

// No request may cost more than this.
inline constexpr std::int64_t kMaxBatchCost = 10'000;

// The cost of the batch_input of a request: zero if it is no batch; kInvalid, naming the limit, if
// it costs more than a request may. All items of a secret key cost the same.
Result<BatchCost> CostOfItems(const Call& call);
// The same for operations of private keys: an RSA private key's items cost more.
Result<BatchCost> CostOfPrivateKeyItems(const Call& call);

}  // namespace coffer::api
