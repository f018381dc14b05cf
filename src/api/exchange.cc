#include <utility>

#include "api/service_impl.h"

// The requests on their way: how each goes on where it waited, moves to memory of its own, or is
// given up. The service carries out what a step does (service.cc).
namespace coffer::api {

Exchange::Exchange(Service::Impl& its_service, const http::Request& asked, std::string id)
    : service(its_service),
      request(&asked),
      can_wait(asked.parking != nullptr),
      path(asked.path),
      request_id(std::move(id)),
      trail(its_service.services.audit, asked, request_id, path) {}

Next Exchange::Step(keyring::Lane* its_lane) {
  lane = its_lane;
  found.reset();
  if (call) call->lane = lane;
  const LoggedRequest logged(request_id);
  Status done = service.Advance(*this);
  if (done && next != Next::kAnswer) return next;
  service.Conclude(*this, std::move(done), true);
  return Next::kAnswer;
}

// Only the members that are changed here refer to the old buffers, because no handler has begun.
Status Exchange::MoveTo(const http::Request& asked) {
  if (asked.memory != nullptr) {
    COFFER_TRY(asked.memory->Take(service.face->MemoryOfParameters(asked) + trail.Kept()));
  }
  credential = service.face->Identify(asked).credential;
  if (made_path == nullptr) MovePath(asked.path);
  request = &asked;
  const Call old = *call;
  call.emplace(Call{old.registry, old.engine, old.lane, asked, old.fields, old.mount, old.token,
                    old.rules, credential, old.verb, old.capability, old.items_at_once, &found});
  trail.MoveTo(asked, path, credential);
  return {};
}

// Makes every view into the path a view into its copy.
void Exchange::MovePath(std::string_view copy) {
  const auto moved = [&](std::string_view part) {
    return copy.substr(static_cast<std::size_t>(part.data() - request->path.data()), part.size());
  };
  Captures captures;
  for (const auto& [name, text] : target->match.captures) {
    captures.Push(name, moved(text));
    fields->MoveCapture(name, moved(text));
  }
  target->match.captures = captures;
  if (!metered.key.empty()) metered.key = moved(metered.key);
  path = moved(path);
}

void Exchange::GiveUp(const Error& why, bool heard) {
  const LoggedRequest logged(request_id);
  service.Conclude(*this, Fail(why), heard);
}

}  // namespace coffer::api
