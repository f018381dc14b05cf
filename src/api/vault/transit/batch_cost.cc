#include "api/vault/transit/batch_cost.h"

#include <string>

#include "api/vault/transit/transit_call.h"

namespace coffer::api {
namespace {

// The cost of an operation of an RSA private key in operations of a secret key. SoftHSM needs 0.5,
// 1.5 and 3 ms for it, a token in hardware more, and every operation takes 0.3 ms on the way to the
// token.
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

Result<BatchCost> CostOf(const JsonValue& batch, std::int64_t each, const std::string& for_type) {
  const auto items = static_cast<std::int64_t>(batch.As<JsonValue::Array>()->size());
  BatchCost cost;
  cost.each = each;
  const std::int64_t most = kMaxBatchCost / cost.each;
  if (items > most) {
    return Fail(Code::kInvalid, "batch_input has " + std::to_string(items) +
                                    " items, and the limit is " + std::to_string(most) + for_type);
  }
  cost.total = items * cost.each;
  return cost;
}

}  // namespace

Result<BatchCost> CostOfItems(const Call& call) {
  const JsonValue* const batch = call.fields.Find("batch_input");
  return batch == nullptr ? BatchCost() : CostOf(*batch, 1, "");
}

Result<BatchCost> CostOfPrivateKeyItems(const Call& call) {
  const JsonValue* const batch = call.fields.Find("batch_input");
  if (batch == nullptr) return BatchCost();
  const auto key = EngineOf(call).Find(ReaderOf(call), call.fields.Text("name"));
  if (!key) return CostOf(*batch, 1, "");
  return CostOf(*batch, CostOfPrivateKey((*key)->type),
                " for a key of type " + std::string((*key)->Info().name));
}

}  // namespace coffer::api
