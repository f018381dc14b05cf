#include "coffer/barrier/barrier.h"

#include <algorithm>

#include "barrier/record_form.h"

namespace coffer::barrier {
namespace {

using keyring::Key;
using keyring::KeyVersion;
using keyring::Lane;

// The mount of the barrier's keys in the key ring. No mount of the server has this id: those are
// random.
Id KeysPlace() {
  constexpr std::string_view kName = "coffer-barrier-1";
  Id id;
  static_assert(kName.size() == sizeof(id.octets));
  std::ranges::copy(kName, id.octets.begin());
  return id;
}

// A refusal of a client's key is a failure of the server where the key is its own.
Error AsFailure(const Error& error) {
  switch (error.refusal) {
    case Refusal::kVersionExhausted:
    case Refusal::kRotationRequired:
      return {Code::kUnavailable, "the key that seals records must be rotated first: try again"};
    case Refusal::kNotAuthentic:
      return {Code::kCorrupt, "a sealed record failed its check"};
    default:
      return error;
  }
}

OwnerKey Describe(const Key& key) {
  const KeyVersion& newest = key.versions.at(key.latest_version);
  OwnerKey described;
  described.owner = key.name;
  described.custody = newest.custody;
  described.version = key.latest_version;
  described.resident_versions =
      static_cast<std::size_t>(std::ranges::count_if(key.versions, [](const auto& entry) {
        return entry.second.custody == keyring::Custody::kResident;
      }));
  described.created = newest.info.created;
  described.sealed = newest.counter->reserved.load();
  return described;
}

}  // namespace

Status Barrier::Start(keyring::Custodian& custodian) {
  return custodian.Run([this](keyring::CustodianTurn& turn) -> Status {
    return RotateMarked(keys_.GetLanes().OfCustodian(turn));
  });
}

Status Barrier::RotateMarked(Lane& lane) {
  COFFER_ASSIGN(const auto owners, keys_.List(KeysPlace(), {}, 0));
  for (const std::string& owner : owners) {
    auto key = keys_.Find(lane, KeysPlace(), owner);
    if (key && (*key)->settings.rotation_required) key = Rotate(owner, "rotation required");
    if (key) continue;
    logger_.Log(LogLevel::kError, "barrier", "a key that seals records cannot be used",
                {{"owner", owner}, {"why", key.error().message}});
  }
  return {};
}

Barrier::FoundKey Barrier::Make(const Owner& owner) {
  COFFER_ASSIGN(const auto name, keyring::KeyName::Parse(owner.Name()));
  keyring::CreateOptions options;
  options.resident = true;
  COFFER_ASSIGN(auto created, keys_.Create(KeysPlace(), name, options, {"barrier", "first use"}));
  return std::move(created.key);
}

Barrier::FoundKey Barrier::Rotate(std::string_view owner, std::string_view reason) {
  return keys_.Rotate(KeysPlace(), owner, {"barrier", std::string(reason)});
}

Barrier::FoundKey Barrier::KeyOf(Lane& lane, const Owner& owner) {
  return keys_.Find(lane, KeysPlace(), owner.Name());
}

Status Barrier::Prepare(const Owner& owner) {
  COFFER_TRY(Make(owner));
  return {};
}

Result<bool> Barrier::Ready(Lane& lane, const Owner& owner) {
  const auto key = KeyOf(lane, owner);
  if (key) return !(*key)->settings.rotation_required;
  if (key.error().refusal == Refusal::kKeyNotFound) return false;
  return Fail(key.error());
}

Barrier::FoundKey Barrier::KeyToSeal(Lane& lane, const Owner& owner) {
  auto key = KeyOf(lane, owner);
  const bool absent = !key && key.error().refusal == Refusal::kKeyNotFound;
  if (!lane.IsCustodians()) {
    if (absent) return Fail(Code::kUnavailable, "the key that seals records is not made yet");
    return key;
  }
  if (absent) return Make(owner);
  if (key && (*key)->settings.rotation_required) return Rotate(owner.Name(), "rotation required");
  return key;
}

Result<Bytes> Barrier::Seal(Lane& lane, const Owner& owner, const Place& place,
                            ByteView plaintext) {
  COFFER_ASSIGN(auto key, KeyToSeal(lane, owner));
  keyring::Encryption sealing;
  sealing.version = &key->versions.at(key->latest_version);
  const Bytes bound = BoundData(owner.Name(), place, key->latest_version);
  sealing.plaintext = plaintext;
  sealing.aad = bound;
  if (Status sealed = lane.Encrypt(*key, {&sealing, 1}); !sealed) {
    return Fail(AsFailure(sealed.error()));
  }
  if (sealing.error) return Fail(AsFailure(*sealing.error));
  return MakeRecord(key->latest_version, sealing.payload);
}

Result<SecretBytes> Barrier::Open(Lane& lane, const Owner& owner, const Place& place,
                                  ByteView sealed) {
  const auto record = ReadRecord(sealed);
  if (!record) return Fail(Code::kCorrupt, "a sealed record cannot be read");
  auto key = KeyOf(lane, owner);
  if (!key && key.error().refusal == Refusal::kKeyNotFound) {
    return Fail(Code::kCorrupt, "the key that sealed a record is gone");
  }
  if (!key) return Fail(std::move(key).error());
  const auto version = (*key)->versions.find(record->version);
  if (version == (*key)->versions.end()) {
    return Fail(Code::kCorrupt, "the key that sealed a record is gone");
  }
  const Bytes bound = BoundData(owner.Name(), place, record->version);
  auto opened = lane.Decrypt(**key, version->second, record->payload, bound);
  if (!opened) return Fail(AsFailure(opened.error()));
  return opened;
}

Status Barrier::Rotate(const Owner& owner) {
  COFFER_TRY(Rotate(owner.Name(), "requested"));
  return {};
}

Status Barrier::RotateAll() {
  COFFER_ASSIGN(const auto owners, keys_.List(KeysPlace(), {}, 0));
  Status all;
  for (const std::string& owner : owners) {
    const auto rotated = Rotate(owner, "requested");
    if (!rotated && all) all = Fail(rotated.error());
  }
  return all;
}

Status Barrier::Destroy(const Owner& owner) {
  Status destroyed = keys_.Destroy(KeysPlace(), owner.Name());
  if (!destroyed && destroyed.error().refusal == Refusal::kKeyNotFound) return {};
  return destroyed;
}

Result<std::vector<OwnerKey>> Barrier::List(Lane& lane) {
  COFFER_ASSIGN(const auto owners, keys_.List(KeysPlace(), {}, 0));
  std::vector<OwnerKey> listed;
  for (const std::string& owner : owners) {
    const auto key = keys_.Find(lane, KeysPlace(), owner);
    if (!key && key.error().refusal == Refusal::kKeyNotFound) continue;  // destroyed meanwhile
    if (!key && key.error().code != Code::kCorrupt) return Fail(key.error());
    listed.push_back(key ? Describe(**key) : OwnerKey{.owner = owner, .damaged = true});
  }
  return listed;
}

Result<std::optional<OwnerKey>> Barrier::Find(Lane& lane, const Owner& owner) {
  const auto key = KeyOf(lane, owner);
  if (key) return Describe(**key);
  if (key.error().refusal == Refusal::kKeyNotFound) return std::optional<OwnerKey>{};
  return Fail(key.error());
}

}  // namespace coffer::barrier
