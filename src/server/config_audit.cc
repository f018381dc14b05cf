#include <cstdint>

#include "server/config_file.h"

namespace coffer::server {
namespace {

constexpr std::int64_t kLargestRotation = std::int64_t{1} << 50;

}  // namespace

// audit "file" "NAME" { ... }
Status ReadAudit(const hcl::Block& block, Config& config) {
  const hcl::Label& kind = block.labels[0];
  const hcl::Label& name = block.labels[1];
  if (kind.text != "file") {
    return hcl::FailAt(kind.at, "an audit device is \"file\", not \"" + kind.text + "\"");
  }
  audit::DeviceSettings settings;
  settings.path = name.text;
  if (settings.path.empty() || settings.path.front() == '/') {
    return hcl::FailAt(name.at, "an audit device has a name such as \"file\"");
  }
  if (settings.path.back() != '/') settings.path += '/';
  for (const audit::DeviceSettings& other : config.audit_devices) {
    if (other.path == settings.path) {
      return hcl::FailAt(name.at, "the audit device \"" + name.text + "\" was declared before");
    }
  }
  settings.declared = true;
  hcl::ObjectReader reader(*block.body, "audit \"file\"");
  COFFER_ASSIGN(const auto file, reader.Text("file_path"));
  if (!file) return hcl::FailAt(block.at, "the audit device has no \"file_path\"");
  COFFER_ASSIGN(settings.file, AbsolutePath("file_path", *file, reader.At("file_path")));
  COFFER_ASSIGN(const auto description, reader.Text("description"));
  settings.description = description.value_or("");
  COFFER_ASSIGN(const auto hashed, reader.Boolean("hmac_accessor"));
  settings.hmac_accessor = hashed.value_or(true);
  COFFER_ASSIGN(const auto sync, reader.Text("sync"));
  if (sync && *sync != "always" && *sync != "usual") {
    return hcl::FailAt(reader.At("sync"), "\"sync\" is \"usual\" or \"always\"");
  }
  settings.always_sync = sync == "always";
  COFFER_ASSIGN(const auto rotate, reader.Integer("rotate_bytes", 0, kLargestRotation));
  settings.rotate_octets = static_cast<std::uint64_t>(rotate.value_or(0));
  config.audit_devices.push_back(std::move(settings));
  return reader.Finish();
}

void PrintAudit(const Config& config, std::string& out) {
  for (const audit::DeviceSettings& device : config.audit_devices) {
    const std::string name = device.path.substr(0, device.path.size() - 1);
    out += "audit \"file\" " + hcl::Quote(name) + " {\n";
    PrintText("file_path", device.file.string(), out);
    PrintText("description", device.description, out);
    PrintBoolean("hmac_accessor", device.hmac_accessor, out);
    PrintText("sync", device.always_sync ? "always" : "usual", out);
    PrintInteger("rotate_bytes", static_cast<std::int64_t>(device.rotate_octets), out);
    out += "}\n";
  }
}

}  // namespace coffer::server
