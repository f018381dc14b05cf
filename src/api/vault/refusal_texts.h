#pragma once

#include "coffer/base/error.h"

namespace coffer::api {

// How Vault's API words a refusal, for those that its clients read or that scripts look for, with a
// {place} for each argument. The others read as they are in base's own words.
LiteralText SentenceOf(Refusal refusal, Purpose purpose);

}  // namespace coffer::api
