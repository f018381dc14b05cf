#pragma once

#include "coffer/base/result.h"
#include "coffer/http/options.h"

namespace coffer::http {

// Says the errors that Server::Start would have for this listener, before anything is made for it.
Status CheckListener(const Listener& listener);

}  // namespace coffer::http
