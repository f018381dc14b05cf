#include "coffer/api/registry.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/engine_type.h"
#include "coffer/keyring/key.h"

namespace coffer::api {
namespace {

constexpr std::string_view kAuthPrefix = "auth/";

// The paths of engines of Vault that this server does not have: nothing is mounted there, and they
// answer nothing.
constexpr std::array<std::string_view, 2> kForLater{"identity/", "cubbyhole/"};
// Nothing is mounted at these paths either: auth methods have a list of their own, and Vault
// reserves both.
constexpr std::array<std::string_view, 2> kNoMounts{kAuthPrefix, "audit/"};

auto Refuse(const EngineType& type, std::string_view why) {
  return Fail(Code::kInternal, "",
              "engine " + std::string(type.name) + " cannot be registered: " + std::string(why));
}

}  // namespace

Registry::Registry() = default;
Registry::~Registry() = default;

Result<std::unique_ptr<const Registry>> Registry::Make(const std::vector<Registration>& engines) {
  std::unique_ptr<Registry> registry(new Registry());
  std::size_t next_operation = 1;
  for (const Registration& engine : engines) {
    const EngineType& type = *engine.type;
    if (!type.path.ends_with('/')) return Refuse(type, "its path does not end in a slash");
    for (const auto& other : registry->engines_) {
      if (other->Name() == type.name && other->Type().place == type.place)
        return Refuse(type, "there is one of that name");
      if (other->Type().path == type.path) return Refuse(type, "its path is another one's");
    }
    auto table = EndpointTable::Make(type.endpoints(), next_operation);
    if (!table) return Refuse(type, table.error().cause);
    next_operation += table->Operations();
    registry->engines_.push_back(
        std::make_unique<const RegisteredEngine>(type, engine.state, std::move(*table)));
  }
  return registry;
}

const RegisteredEngine* Registry::Find(std::string_view name, MountPlace place) const {
  for (const auto& engine : engines_) {
    if (engine->Type().place == place && engine->Name() == name) return engine.get();
  }
  return nullptr;
}

const RegisteredEngine* Registry::EngineOf(const mounts::Mount& mount) const {
  const bool auth = mount.path.Text().starts_with(kAuthPrefix);
  return Find(mount.type, auth ? MountPlace::kAuth : MountPlace::kSecret);
}

const RegisteredEngine* Registry::BuiltInAt(std::string_view path) const {
  for (const auto& engine : engines_) {
    const EngineType& type = engine->Type();
    if (type.place == MountPlace::kBuiltIn && path.starts_with(type.path)) return engine.get();
  }
  return nullptr;
}

std::string_view ClassOf(const EngineType& type) {
  if (type.place == MountPlace::kAuth || type.path.starts_with(kAuthPrefix)) return "auth";
  return type.place == MountPlace::kBuiltIn ? "system" : "secret";
}

Status CheckNames(const Captures& captures) {
  for (const auto& [name, text] : captures) {
    if (name == "name" && text.size() > keyring::KeyName::kMaxBytes) {
      COFFER_TRY(keyring::KeyName::Parse(text));
    }
  }
  return {};
}

std::vector<std::string> PathsOfNoEngine() {
  std::vector<std::string> paths(kNoMounts.begin(), kNoMounts.end());
  paths.insert(paths.end(), kForLater.begin(), kForLater.end());
  return paths;
}

bool KeptForLater(std::string_view path) {
  return std::ranges::any_of(kForLater,
                             [&](std::string_view kept) { return path.starts_with(kept); });
}

}  // namespace coffer::api
