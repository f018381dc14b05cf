#include "api/vault/system/mount_info.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace coffer::api {
namespace {

void WriteOptions(const mounts::MountConfig& config, JsonWriter& json) {
  json.Key("options");
  if (config.options.empty()) {
    json.Null();
    return;
  }
  json.BeginObject();
  for (const auto& [name, value] : config.options) json.Key(name).Text(value);
  json.EndObject();
}

void WriteLists(const mounts::MountConfig& config, JsonWriter& json) {
  for (const mounts::MountConfig::NamedList& known : mounts::MountConfig::kLists) {
    const std::vector<std::string>& values = config.*known.list;
    if (values.empty()) continue;
    json.Key(known.name).BeginArray();
    for (const std::string& value : values) json.Text(value);
    json.EndArray();
  }
}

void WriteInfo(std::string_view type, std::string_view accessor, std::string_view uuid,
               const mounts::MountConfig& config, JsonWriter& json) {
  json.Key("type").Text(type);
  json.Key("description").Text(config.description);
  json.Key("accessor").Text(accessor);
  json.Key("local").Bool(config.local);
  json.Key("seal_wrap").Bool(config.seal_wrap);
  json.Key("external_entropy_access").Bool(config.external_entropy_access);
  WriteOptions(config, json);
  json.Key("uuid").Text(uuid);
  json.Key("plugin_version").Text("");
  json.Key("running_plugin_version").Text("");
  json.Key("running_sha256").Text("");
  json.Key("deprecation_status").Text("supported");
  json.Key("config").BeginObject();
  json.Key("default_lease_ttl").Int(config.default_lease_ttl_seconds);
  json.Key("max_lease_ttl").Int(config.max_lease_ttl_seconds);
  json.Key("force_no_cache").Bool(config.force_no_cache);
  if (!config.listing_visibility.empty()) {
    json.Key("listing_visibility").Text(config.listing_visibility);
  }
  WriteLists(config, json);
  json.EndObject();
}

// True for a value that sets nothing, such as null or an empty text.
bool SaysNothing(const JsonValue& value) {
  const auto* const text = value.As<std::string>();
  const auto* const array = value.As<JsonValue::Array>();
  const auto* const object = value.As<JsonValue::Object>();
  const auto* const flag = value.As<bool>();
  const auto* const number = value.As<std::int64_t>();
  return value.IsNull() || (text != nullptr && text->empty()) ||
         (array != nullptr && array->empty()) || (object != nullptr && object->empty()) ||
         (flag != nullptr && !*flag) || (number != nullptr && *number == 0);
}

Result<JsonValue> Converted(const JsonValue::Member& member, FieldType type) {
  auto converted = ConvertField(type, member.value);
  if (converted) return converted;
  return Fail(Refusal::kFieldInvalid,
              {.name = member.name, .detail = std::move(converted.error().message)});
}

// Sets a lease time; "system" is the time of the server, for which 0 stands.
Status ApplyLeaseTtl(const JsonValue::Member& member, std::int64_t& seconds) {
  const auto* const text = member.value.As<std::string>();
  if (text != nullptr && text->empty()) return {};
  if (text != nullptr && *text == "system") {
    seconds = 0;
    return {};
  }
  COFFER_ASSIGN(const JsonValue value, Converted(member, FieldType::kSeconds));
  seconds = *value.As<std::int64_t>();
  return {};
}

Status ApplyText(const JsonValue::Member& member, std::string& text) {
  COFFER_ASSIGN(const JsonValue value, Converted(member, FieldType::kText));
  text = *value.As<std::string>();
  return {};
}

Status ApplyList(const JsonValue::Member& member, std::vector<std::string>& list) {
  COFFER_ASSIGN(const JsonValue value, Converted(member, FieldType::kTexts));
  list.clear();
  for (const JsonValue& one : *value.As<JsonValue::Array>()) list.push_back(*one.As<std::string>());
  return {};
}

Status RefuseSetting(std::string_view name, std::string_view type) {
  if (name == "token_type") {
    return Fail(Code::kInvalid, "'token_type' can only be modified on auth mounts");
  }
  if (name == "user_lockout_config") {
    return Fail(Code::kInvalid, "tuning of user lockout configuration for auth type \"" +
                                    std::string(type) + "\" not allowed");
  }
  return Fail(Code::kInvalid, "setting " + std::string(name) + " is not supported on this server");
}

Status ApplySetting(const JsonValue::Member& member, std::string_view type,
                    mounts::MountConfig& config) {
  const std::string& name = member.name;
  if (member.value.IsNull()) return {};
  if (name == "default_lease_ttl") return ApplyLeaseTtl(member, config.default_lease_ttl_seconds);
  if (name == "max_lease_ttl") return ApplyLeaseTtl(member, config.max_lease_ttl_seconds);
  if (name == "description") return ApplyText(member, config.description);
  if (name == "listing_visibility") return ApplyText(member, config.listing_visibility);
  if (name == "force_no_cache") {
    COFFER_ASSIGN(const JsonValue flag, Converted(member, FieldType::kBool));
    config.force_no_cache = *flag.As<bool>();
    return {};
  }
  if (name == "options") {
    COFFER_ASSIGN(const JsonValue options, Converted(member, FieldType::kKeyValues));
    return ApplyOptions(options, type, config);
  }
  for (const mounts::MountConfig::NamedList& known : mounts::MountConfig::kLists) {
    if (known.name == name) return ApplyList(member, config.*known.list);
  }
  return SaysNothing(member.value) ? Status() : RefuseSetting(name, type);
}

}  // namespace

void WriteMountInfo(const mounts::Mount& mount, JsonWriter& json) {
  WriteInfo(mount.type, mount.accessor, mount.id.ToUuid(), mount.config, json);
}

void WriteMountInfo(const EngineType& built_in, JsonWriter& json) {
  mounts::MountConfig config;
  config.description = built_in.description;
  WriteInfo(built_in.name, std::string(built_in.name) + "_builtin", "", config, json);
}

void WriteTuning(const mounts::MountConfig& config, JsonWriter& json) {
  const auto or_system = [](std::int64_t seconds) {
    return seconds == 0 ? kSystemLeaseTtlSeconds : seconds;
  };
  json.Key("default_lease_ttl").Int(or_system(config.default_lease_ttl_seconds));
  json.Key("max_lease_ttl").Int(or_system(config.max_lease_ttl_seconds));
  json.Key("description").Text(config.description);
  json.Key("force_no_cache").Bool(config.force_no_cache);
  if (!config.options.empty()) WriteOptions(config, json);
  if (!config.listing_visibility.empty()) {
    json.Key("listing_visibility").Text(config.listing_visibility);
  }
  if (config.external_entropy_access) json.Key("external_entropy_access").Bool(true);
  WriteLists(config, json);
}

Status ApplyTuning(const JsonValue& settings, std::string_view type, mounts::MountConfig& config) {
  const auto* const members = settings.As<JsonValue::Object>();
  if (members == nullptr) return {};
  for (const JsonValue::Member& member : *members) {
    COFFER_TRY(ApplySetting(member, type, config));
  }
  const std::string& visibility = config.listing_visibility;
  if (!visibility.empty() && visibility != "unauth" && visibility != "hidden") {
    return Fail(Code::kInvalid, "invalid listing_visibility: must be unauth, hidden or empty");
  }
  if (config.max_lease_ttl_seconds != 0 &&
      config.default_lease_ttl_seconds > config.max_lease_ttl_seconds) {
    return Fail(Code::kInvalid, "backend default lease TTL greater than max lease TTL");
  }
  return {};
}

Status ApplyOptions(const JsonValue& options, std::string_view type, mounts::MountConfig& config) {
  const auto* members = options.As<JsonValue::Object>();
  if (members == nullptr) return {};
  // Each option is compared with all others below.
  if (members->size() > mounts::MountConfig::kMostOptions) {
    return Fail(Code::kInvalid, "a mount has at most " +
                                    std::to_string(mounts::MountConfig::kMostOptions) + " options");
  }
  for (const JsonValue::Member& member : *members) {
    const std::string& value = *member.value.As<std::string>();
    if (member.name == "version" && !value.empty()) {
      return Fail(Code::kInvalid,
                  "secrets engine \"" + std::string(type) + "\" does not allow setting a version");
    }
    std::erase_if(config.options, [&](const auto& option) { return option.first == member.name; });
    if (!value.empty()) config.options.emplace_back(member.name, value);
  }
  return {};
}

}  // namespace coffer::api
