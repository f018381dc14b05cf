#include <optional>
#include <string>
#include <utility>

#include "server/config/config_file.h"

namespace coffer::server {
namespace {

// Reads an option of any type as text, as the settings of a device take it.
Result<std::optional<std::string>> OptionText(hcl::ObjectReader& reader, std::string_view name) {
  constexpr std::int64_t kLargestRotation = std::int64_t{1} << 50;
  std::optional<std::string> text;
  if (name == "hmac_accessor") {
    COFFER_ASSIGN(const auto flag, reader.Boolean(name));
    if (flag) text = *flag ? "true" : "false";
  } else if (name == "rotate_bytes") {
    COFFER_ASSIGN(const auto number, reader.Integer(name, 0, kLargestRotation));
    if (number) text = std::to_string(*number);
  } else if (name == "write_timeout") {
    COFFER_ASSIGN(const auto seconds, reader.Seconds(name, 1, 5));
    if (seconds) text = std::to_string(*seconds);
  } else {
    COFFER_ASSIGN(text, reader.Text(name));
  }
  return text;
}

}  // namespace

// audit "TYPE" "NAME" { ... }
Status ReadAudit(const hcl::Block& block, Config& config) {
  const hcl::Label& kind = block.labels[0];
  const hcl::Label& name = block.labels[1];
  auto begun = audit::SettingsOfType(kind.text);
  if (!begun) return hcl::FailAt(kind.at, begun.error().message);
  audit::DeviceSettings settings = std::move(*begun);
  settings.path = name.text;
  if (settings.path.empty() || settings.path.front() == '/') {
    return hcl::FailAt(name.at, "an audit device has a name such as \"file\"");
  }
  if (settings.path.back() != '/') settings.path += '/';
  settings.declared = true;
  const std::string what = "audit \"" + kind.text + "\"";
  hcl::ObjectReader reader(*block.body, what);
  for (const std::string_view option :
       {"file_path", "sync", "rotate_bytes", "facility", "tag", "address", "socket_type",
        "write_timeout", "hmac_accessor"}) {
    COFFER_ASSIGN(const auto text, OptionText(reader, option));
    if (!text) continue;
    if (Status set = audit::SetOption(settings, option, *text); !set) {
      return hcl::FailAt(reader.At(option), set.error().message);
    }
  }
  COFFER_ASSIGN(const auto description, reader.Text("description"));
  settings.description = description.value_or("");
  if (Status fits = audit::CheckSettings(settings); !fits) {
    return hcl::FailAt(block.at, fits.error().message);
  }
  if (settings.type == audit::DeviceType::kFile) {
    COFFER_ASSIGN(settings.file,
                  AbsolutePath("file_path", settings.file.string(), reader.At("file_path")));
  }
  for (const audit::DeviceSettings& other : config.audit_devices) {
    if (other.path == settings.path) {
      return hcl::FailAt(name.at, "the audit device \"" + name.text + "\" was declared before");
    }
    if (other.SameTarget(settings)) {
      return hcl::FailAt(block.at, audit::TargetName(settings) +
                                       " is the target of the audit device \"" + other.path +
                                       "\" already");
    }
  }
  config.audit_devices.push_back(std::move(settings));
  return reader.Finish();
}

void PrintAudit(const Config& config, std::string& out) {
  for (const audit::DeviceSettings& device : config.audit_devices) {
    const std::string name = device.path.substr(0, device.path.size() - 1);
    out += "audit " + hcl::Quote(audit::TypeName(device.type)) + " " + hcl::Quote(name) + " {\n";
    PrintText("description", device.description, out);
    for (const auto& [option, value] : audit::OptionsOf(device)) {
      const bool bare = option == "hmac_accessor" || option == "rotate_bytes";
      if (bare) {
        out.append("  ").append(option).append(" = ").append(value).append("\n");
      } else {
        PrintText(option, value, out);
      }
    }
    out += "}\n";
  }
}

}  // namespace coffer::server
