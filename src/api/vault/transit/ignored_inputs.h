#pragma once

#include <algorithm>

#include "api/endpoint.h"

namespace coffer::api {

// Warns where the key is not derived: nobody is to take a context for bound to what is answered.
void WarnOfContext(const Call& call, Reply& reply);

// Warns of what was ignored in the items: names that are none, and contexts.
template <typename Inputs>
void WarnOfIgnored(const Call& call, const Inputs& inputs, Reply& reply) {
  inputs.unknown.Warn(reply.warnings);
  const bool with_context =
      std::ranges::any_of(inputs.items, [](const auto& item) { return !item.context.empty(); });
  if (with_context) WarnOfContext(call, reply);
}

}  // namespace coffer::api
