#include "mount_info.h"

#include <algorithm>
#include <string>
#include <utility>

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

void WriteInfo(std::string_view type, std::string_view accessor, std::string_view uuid,
               const mounts::MountConfig& config, JsonWriter& json) {
  json.Key("type").Text(type);
  json.Key("description").Text(config.description);
  json.Key("accessor").Text(accessor);
  json.Key("local").Bool(false);
  json.Key("seal_wrap").Bool(false);
  json.Key("external_entropy_access").Bool(false);
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
  json.EndObject();
}

// A member as `type` has it; null where it is absent.
Result<JsonValue> Member(const JsonValue& source, std::string_view name, FieldType type) {
  const JsonValue* const value = source.Find(name);
  if (value == nullptr || value->IsNull()) return JsonValue();
  auto converted = ConvertField(type, *value);
  if (converted) return converted;
  return Fail(converted.error().code,
              "Field validation failed: error converting input for field \"" + std::string(name) +
                  "\": " + converted.error().message);
}

}  // namespace

void WriteMountInfo(const mounts::Mount& mount, JsonWriter& json) {
  WriteInfo(mount.type, mount.accessor, mount.id.ToUuid(), mount.config, json);
}

void WriteMountInfo(const BuiltinMount& mount, JsonWriter& json) {
  mounts::MountConfig config;
  config.description = mount.description;
  WriteInfo(mount.type, std::string(mount.type) + "_builtin", "", config, json);
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
}

Status ApplyTuning(const JsonValue& source, mounts::MountConfig& config) {
  COFFER_ASSIGN(const auto usual, Member(source, "default_lease_ttl", FieldType::kSeconds));
  if (const auto* seconds = usual.As<std::int64_t>()) config.default_lease_ttl_seconds = *seconds;
  COFFER_ASSIGN(const auto longest, Member(source, "max_lease_ttl", FieldType::kSeconds));
  if (const auto* seconds = longest.As<std::int64_t>()) config.max_lease_ttl_seconds = *seconds;
  COFFER_ASSIGN(const auto no_cache, Member(source, "force_no_cache", FieldType::kBool));
  if (const auto* flag = no_cache.As<bool>()) config.force_no_cache = *flag;
  COFFER_ASSIGN(const auto visibility, Member(source, "listing_visibility", FieldType::kText));
  if (const auto* text = visibility.As<std::string>()) {
    if (!text->empty() && *text != "unauth" && *text != "hidden") {
      return Fail(Code::kInvalid, "invalid listing_visibility: must be unauth, hidden or empty");
    }
    config.listing_visibility = *text;
  }
  if (config.max_lease_ttl_seconds != 0 &&
      config.default_lease_ttl_seconds > config.max_lease_ttl_seconds) {
    return Fail(Code::kInvalid, "backend default lease TTL greater than max lease TTL");
  }
  return {};
}

bool UpsertDisabled(const mounts::MountConfig& config) {
  return std::ranges::any_of(config.options, [](const auto& option) {
    return option.first == kDisableUpsert && option.second == "true";
  });
}

void ApplyOptions(const JsonValue& options, mounts::MountConfig& config) {
  const auto* members = options.As<JsonValue::Object>();
  if (members == nullptr) return;
  for (const JsonValue::Member& member : *members) {
    std::erase_if(config.options, [&](const auto& option) { return option.first == member.name; });
    config.options.emplace_back(member.name, *member.value.As<std::string>());
  }
}

}  // namespace coffer::api
