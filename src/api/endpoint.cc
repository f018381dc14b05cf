#include "api/endpoint.h"

namespace coffer::api {

std::string_view VerbName(Verb verb) {
  switch (verb) {
    case Verb::kRead:
      return "read";
    case Verb::kWrite:
      return "update";
    case Verb::kPatch:
      return "patch";
    case Verb::kDelete:
      return "delete";
    case Verb::kList:
      return "list";
    case Verb::kScan:
      return "scan";
  }
  return "";
}

bool IsOpen(const Endpoint& endpoint, EngineState engine, const http::Request& request) {
  return endpoint.unauthenticated || (endpoint.open != nullptr && endpoint.open(engine, request));
}

}  // namespace coffer::api
