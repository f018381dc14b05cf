#include "api/shelf/shelf_engine.h"

#include "api/engine_type.h"

namespace coffer::api {
namespace {

Shelves& ShelvesOf(const Call& call) { return call.engine.As<Shelves>(); }

bool Exists(const Call& call) {
  return ShelvesOf(call).Find(call.mount->id, call.fields.Text("name")).has_value();
}

Status ListNotes(const Call& call, Reply& reply) {
  const auto names = ShelvesOf(call).Names(call.mount->id);
  if (names.empty()) return Fail(Code::kNotFound, "");
  reply.json.BeginObject().Key("keys").BeginArray();
  for (const std::string& name : names) reply.json.Text(name);
  reply.json.EndArray().EndObject();
  return {};
}

Status ReadNote(const Call& call, Reply& reply) {
  const auto text = ShelvesOf(call).Find(call.mount->id, call.fields.Text("name"));
  if (!text) return Fail(Code::kNotFound, "");
  reply.json.BeginObject().Key("text").Text(*text).EndObject();
  return {};
}

Status WriteNote(const Call& call, Reply& reply) {
  ShelvesOf(call).Put(call.mount->id, call.fields.Text("name"), call.fields.Text("text"));
  return reply.NoContent();
}

Status DeleteNote(const Call& call, Reply& reply) {
  ShelvesOf(call).Drop(call.mount->id, call.fields.Text("name"));
  return reply.NoContent();
}

std::vector<Endpoint> Endpoints() {
  Endpoint list{
      "notes", "The names of the notes.", {}, {{Verb::kList, Capability::kList, ListNotes}}};
  Endpoint note{"notes/:name", "A note.", {}, {}};
  note.fields = {{"name", FieldType::kText, "", "The note's name."},
                 {"text", FieldType::kText, "", "What it says.", true}};
  note.operations = {{Verb::kRead, Capability::kRead, ReadNote},
                     {Verb::kWrite, Capability::kUpdate, WriteNote},
                     {Verb::kDelete, Capability::kDelete, DeleteNote}};
  note.exists = Exists;
  return {list, note};
}

Status EndOfMount(EngineState engine, const mounts::Mount& mount) {
  engine.As<Shelves>().DropAll(mount.id);
  return {};
}

}  // namespace

const EngineType& ShelfEngineType() {
  static constexpr EngineType kType{.name = "shelf",
                                    .title = "Shelf",
                                    .place = MountPlace::kSecret,
                                    .path = "shelf/",
                                    .endpoints = Endpoints,
                                    .end_of_mount = EndOfMount};
  return kType;
}

Registration ShelfEngine(Shelves& shelves) {
  return {&ShelfEngineType(), EngineState::Of(shelves)};
}

void Shelves::Put(const Id& mount, std::string_view name, std::string_view text) {
  const std::lock_guard lock(mutex_);
  shelves_[mount.ToUuid()][std::string(name)] = text;
}

std::optional<std::string> Shelves::Find(const Id& mount, std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto shelf = shelves_.find(mount.ToUuid());
  if (shelf == shelves_.end()) return std::nullopt;
  const auto note = shelf->second.find(std::string(name));
  return note == shelf->second.end() ? std::nullopt : std::optional(note->second);
}

std::vector<std::string> Shelves::Names(const Id& mount) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  const auto shelf = shelves_.find(mount.ToUuid());
  if (shelf == shelves_.end()) return names;
  for (const auto& [name, text] : shelf->second) names.push_back(name);
  return names;
}

void Shelves::Drop(const Id& mount, std::string_view name) {
  const std::lock_guard lock(mutex_);
  shelves_[mount.ToUuid()].erase(std::string(name));
}

void Shelves::DropAll(const Id& mount) {
  const std::lock_guard lock(mutex_);
  shelves_.erase(mount.ToUuid());
}

}  // namespace coffer::api
