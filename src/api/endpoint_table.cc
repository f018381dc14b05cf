#include "endpoint_table.h"

#include "coffer/keyring/key.h"

namespace coffer::api {
namespace {

std::vector<std::string_view> Split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (true) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

// The part of `path` that `segments` [first, last) cover.
std::string_view Span(const std::vector<std::string_view>& segments, std::size_t first,
                      std::size_t last) {
  const char* const begin = segments[first].data();
  const char* const end = segments[last - 1].data() + segments[last - 1].size();
  return {begin, static_cast<std::size_t>(end - begin)};
}

bool Fits(const std::vector<std::string_view>& pattern,
          const std::vector<std::string_view>& segments, EndpointTable::Match& match) {
  match.captures.clear();
  std::size_t at = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const std::string_view wanted = pattern[i];
    const std::size_t still_wanted = pattern.size() - i - 1;
    if (at + 1 + still_wanted > segments.size()) return false;
    if (wanted.starts_with('*')) {
      const std::size_t end = segments.size() - still_wanted;
      const std::string_view rest = Span(segments, at, end);
      if (rest.empty()) return false;
      match.captures.emplace_back(wanted.substr(1), rest);
      at = end;
      continue;
    }
    const std::string_view segment = segments[at++];
    if (wanted.starts_with(':') || wanted.starts_with('=')) {
      if (segment.empty() || (wanted.front() == ':' && !keyring::KeyName::IsGeneric(segment)))
        return false;
      match.captures.emplace_back(wanted.substr(1), segment);
    } else if (wanted != segment) {
      return false;
    }
  }
  return at == segments.size();
}

std::vector<Endpoint> EndpointsOf(EngineKind engine) {
  std::vector<Endpoint> endpoints;
  switch (engine) {
    case EngineKind::kSystem:
      AddSystemEndpoints(endpoints);
      AddMountEndpoints(endpoints);
      AddAuditEndpoints(endpoints);
      AddBackupEndpoints(endpoints);
      AddMetricsEndpoints(endpoints);
      AddSpecsEndpoints(endpoints);
      break;
    case EngineKind::kToken:
      AddTokenEndpoints(endpoints);
      break;
    case EngineKind::kTransit:
      AddTransitCipherEndpoints(endpoints);  // first: the hot ones
      AddTransitSignEndpoints(endpoints);
      AddTransitMacEndpoints(endpoints);
      AddTransitKeyEndpoints(endpoints);
      AddTransitInspectEndpoints(endpoints);
      AddTransitImportEndpoints(endpoints);
      AddTransitExportEndpoints(endpoints);
      AddTransitBackupEndpoints(endpoints);
      AddTransitConfigEndpoints(endpoints);
      AddTransitCsrEndpoints(endpoints);
      AddTransitKeylessEndpoints(endpoints);
      break;
  }
  return endpoints;
}

bool EndsWithSlashAllowed(const Endpoint& endpoint) {
  if (endpoint.pattern.find('*') != std::string_view::npos) return true;
  for (const Operation& operation : endpoint.operations) {
    if (operation.verb == Verb::kList) return true;
  }
  return endpoint.data_at_top || endpoint.pattern == "internal/ui/mounts";
}

}  // namespace

std::string_view EngineName(EngineKind engine) {
  switch (engine) {
    case EngineKind::kSystem:
      return "system";
    case EngineKind::kToken:
      return "token";
    case EngineKind::kTransit:
      break;
  }
  return "transit";
}

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

transit::Caller Call::Caller() const {
  transit::Caller caller;
  caller.mount = mount->id;
  caller.worker = request.worker;
  caller.actor.name = token->display_name + " " + token->accessor;
  caller.actor.reason = "requested";
  return caller;
}

EndpointTable::EndpointTable(std::vector<Endpoint> endpoints) : endpoints_(std::move(endpoints)) {
  std::size_t number = 0;
  for (Endpoint& endpoint : endpoints_) {
    for (Operation& operation : endpoint.operations) operation.number = number++;
    patterns_.push_back(Split(endpoint.pattern));
    for (const FieldSpec& field : endpoint.fields) {
      if (field.plain) endpoint.plain_fields.push_back(field.name);
      if (field.secret) endpoint.secret_fields.push_back(field.name);
    }
  }
}

EndpointTable::Match EndpointTable::Find(std::string_view path) const {
  const bool slash_at_end = path.ends_with('/');
  if (slash_at_end) path.remove_suffix(1);
  const std::vector<std::string_view> segments = Split(path);
  Match match;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    if (slash_at_end && !EndsWithSlashAllowed(endpoints_[i])) continue;
    if (!Fits(patterns_[i], segments, match)) continue;
    match.endpoint = &endpoints_[i];
    return match;
  }
  match.captures.clear();
  return match;
}

bool IsOpen(const Endpoint& endpoint, const Services& services, const http::Request& request) {
  return endpoint.unauthenticated || (endpoint.open != nullptr && endpoint.open(services, request));
}

const EndpointTable& TableOf(EngineKind engine) {
  static const EndpointTable system(EndpointsOf(EngineKind::kSystem));
  static const EndpointTable token(EndpointsOf(EngineKind::kToken));
  static const EndpointTable transit(EndpointsOf(EngineKind::kTransit));
  switch (engine) {
    case EngineKind::kSystem:
      return system;
    case EngineKind::kToken:
      return token;
    case EngineKind::kTransit:
      break;
  }
  return transit;
}

}  // namespace coffer::api
