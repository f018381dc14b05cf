#include "api/vault/transit/ignored_inputs.h"
#include "api/vault/transit/transit_call.h"

namespace coffer::api {

void WarnOfContext(const Call& call, Reply& reply) {
  const auto key = EngineOf(call).Find(ReaderOf(call), call.fields.Text("name"));
  if (key && !(*key)->derived) {
    reply.warnings.emplace_back("context was ignored: the key is not derived");
  }
}

}  // namespace coffer::api
