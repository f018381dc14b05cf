#include "batch_cost.h"

#include <string>

namespace coffer::api {
namespace {

// How much longer an RSA private key's operation takes than a secret key's: SoftHSM needs 0.5, 1.5
// and 3 ms for it, a token in hardware more, and each has its own 0.3 ms on the way.
std::int64_t CostOfPrivateKey(keyring::KeyType type) {
  switch (type) {
    case keyring::KeyType::kRsa2048:
      return 4;
    case keyring::KeyType::kRsa3072:
      return 10;
    case keyring::KeyType::kRsa4096:
      return 25;
    default:
      return 1;
  }
}

}  // namespace

Result<BatchCost> CostOfBatch(const Call& call, BatchKind kind) {
  const JsonValue* const batch = call.fields.Find("batch_input");
  if (kind == BatchKind::kNone || batch == nullptr) return BatchCost();
  const auto items = static_cast<std::int64_t>(batch->As<JsonValue::Array>()->size());
  BatchCost cost;
  std::string for_type;
  if (kind == BatchKind::kPrivateKey) {
    const auto key = call.services.engine.Keys().Find(call.request.worker, call.mount->id,
                                                      call.fields.Text("name"));
    if (key) {
      cost.each = CostOfPrivateKey((*key)->type);
      for_type = " for a key of type " + std::string((*key)->Info().name);
    }
  }
  const std::int64_t most = kMaxBatchCost / cost.each;
  if (items > most) {
    return Fail(Code::kInvalid, "batch_input has " + std::to_string(items) +
                                    " items, and the limit is " + std::to_string(most) + for_type);
  }
  cost.total = items * cost.each;
  return cost;
}

}  // namespace coffer::api
