#include "keyring/key_ring_impl.h"

namespace coffer::keyring {

HandleCounts KeyRing::Handles() const {
  HandleCounts sum = impl_->custodian_worker.handles.Counts();
  for (const auto& worker : impl_->workers) {
    const HandleCounts own = worker->handles.Counts();
    sum.cached += own.cached;
    sum.hits += own.hits;
    sum.misses += own.misses;
    sum.displaced += own.displaced;
  }
  return sum;
}

pkcs11::Statistics KeyRing::TokenCounts() const {
  pkcs11::Statistics sum = impl_->custodian_worker.token->Counts();
  for (const auto& token : impl_->tokens) sum.Add(token->Counts());
  return sum;
}

}  // namespace coffer::keyring
