#include "api/request_meter.h"

#include <chrono>

namespace coffer::api {

RequestMeter::RequestMeter(const Registry& engines, metrics::Registry* registry,
                           std::size_t key_series, Logger& logger)
    : logger_(logger), requests_(engines), keys_(key_series) {
  if (registry == nullptr) return;
  requests_.Register(*registry);
  keys_.Register(*registry);
}

void RequestMeter::NoteOperation(const RegisteredEngine& engine, const EndpointTable::Match& match,
                                 const std::shared_ptr<const mounts::Mount>& mount,
                                 const Operation& operation, Metered& metered) const {
  metered.place = RequestCounts::PlaceOf(operation);
  if (!engine.Type().has_keys || mount == nullptr || !keys_.Counting()) return;
  for (const auto& [name, text] : match.captures) {
    if (name == "name") metered.key = text;
  }
  metered.mount = mount;
  metered.pattern = match.endpoint->pattern;
}

// Only successful requests are counted by key: a name that a client made up must not get a series.
void RequestMeter::Count(const http::Request& request, std::size_t worker, int status,
                         const Metered& metered) {
  const auto took = std::chrono::steady_clock::now() - request.received;
  requests_.Note(worker, metered.place, status, took);
  if (logger_.Wants(LogLevel::kDebug, "api")) {
    // The line holds nothing that the client sent: the pattern of the endpoint stands for the path.
    const RequestCounts::Name& name = requests_.NameOf(metered.place);
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    logger_.Log(LogLevel::kDebug, "api", "request answered",
                {{"engine", name.engine},
                 {"endpoint", name.endpoint},
                 {"operation", name.operation},
                 {"status", std::int64_t{status}},
                 {"microseconds", std::int64_t{microseconds}},
                 {"remote_address", request.remote_address}});
  }
  if (status >= 300 || metered.key.empty()) return;
  keys_.Note(metered.mount->accessor, metered.key, metered.pattern);
}

}  // namespace coffer::api
