#pragma once

#include <algorithm>

#include "api/endpoint.h"

namespace coffer::api {

// Warns of a context if the key is not derived: the client must not believe that the answer depends
// on it.
void WarnOfContext(const Call& call, Reply& reply);

// Warns of the parts of items that were ignored: unknown names, and contexts.
template <typename Inputs>
void WarnOfIgnored(const Call& call, const Inputs& inputs, Reply& reply) {
  inputs.unknown.Warn(reply.warnings);
  const bool with_context =
      std::ranges::any_of(inputs.items, [](const auto& item) { return !item.context.empty(); });
  if (with_context) WarnOfContext(call, reply);
}

}  // namespace coffer::api
