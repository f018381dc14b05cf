#include <fstream>
#include <string>
#include <utility>

#include "coffer/pkcs11/uri.h"
#include "server/config_file.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

// SoftHSM's own setting of where it keeps its objects: those files are synced after each change.
fs::path TokenDirectoryOf(const fs::path& softhsm_config) {
  std::ifstream in(softhsm_config);
  for (std::string line; std::getline(in, line);) {
    constexpr std::string_view kName = "directories.tokendir";
    const std::size_t equals = line.find('=');
    if (!line.starts_with(kName) || equals == std::string::npos) continue;
    const std::size_t begin = line.find_first_not_of(" \t", equals + 1);
    const std::size_t end = line.find_last_not_of(" \t\r");
    if (begin != std::string::npos) return line.substr(begin, end - begin + 1);
  }
  return {};
}

Status ReadUri(hcl::ObjectReader& reader, hcl::Position block, Config& config) {
  COFFER_ASSIGN(const auto text, reader.Text("uri"));
  if (!text) return hcl::FailAt(block, "token has no \"uri\"");
  const hcl::Position at = reader.At("uri");
  const auto uri = pkcs11::ParseTokenUri(*text);
  if (!uri) return hcl::FailAt(at, uri.error().message);
  if (uri->token.empty()) return hcl::FailAt(at, "the uri names no token: add token=LABEL");
  if (uri->serial.empty() && !(uri->manufacturer + uri->model).empty()) {
    return hcl::FailAt(at, "the uri selects by model or manufacturer: add the token's serial");
  }
  if (uri->module_path.empty()) {
    return hcl::FailAt(at, "the uri names no module: add ?module-path=FILE");
  }
  config.token.label = uri->token;
  config.token.serial = uri->serial;
  COFFER_ASSIGN(config.token.module, AbsolutePath("module-path", uri->module_path, at));
  if (uri->pin_source.empty()) return {};
  const auto file = pkcs11::PinSourceFile(uri->pin_source);
  if (!file) return hcl::FailAt(at, file.error().message);
  config.pin_file = *file;
  return {};
}

Status ReadPath(hcl::ObjectReader& reader, std::string_view name, fs::path& path) {
  COFFER_ASSIGN(const auto text, reader.Text(name));
  if (!text) return {};
  COFFER_ASSIGN(path, AbsolutePath(name, *text, reader.At(name)));
  return {};
}

// A value of a URI's attribute: what RFC 7512 lets stand as it is stays.
std::string UriText(std::string_view text, std::string_view also_plain) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' ||
                       also_plain.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const std::uint8_t octet[] = {static_cast<std::uint8_t>(c)};
      out += "%" + ToHex(octet);
    }
  }
  return out;
}

std::string UriOf(const Config& config) {
  std::string uri = "pkcs11:token=" + UriText(config.token.label, "");
  if (!config.token.serial.empty()) uri += ";serial=" + UriText(config.token.serial, "");
  uri += "?module-path=" + UriText(config.token.module.string(), "/");
  if (!config.pin_file.empty()) {
    uri += "&pin-source=file:" + UriText(config.pin_file.string(), "/");
  }
  return uri;
}

}  // namespace

Status ReadToken(const hcl::Block& block, Config& config) {
  hcl::ObjectReader reader(*block.body, "token");
  COFFER_TRY(ReadUri(reader, block.at, config));
  COFFER_ASSIGN(const auto arguments, reader.Text("module_arguments"));
  if (arguments) config.token.module_arguments = *arguments;
  COFFER_TRY(ReadPath(reader, "so_pin_source", config.so_pin_file));
  COFFER_TRY(ReadPath(reader, "softhsm_config", config.softhsm_config));
  COFFER_TRY(ReadPath(reader, "objects_directory", config.token.objects_directory));
  COFFER_TRY(ReadPath(reader, "copies_directory", config.token.copies_directory));
  if (config.token.objects_directory.empty() && !config.softhsm_config.empty()) {
    config.token.objects_directory = TokenDirectoryOf(config.softhsm_config);
    if (config.token.objects_directory.empty()) {
      return hcl::FailAt(reader.At("softhsm_config"),
                         "\"softhsm_config\" is not a file that sets directories.tokendir");
    }
  }
  return reader.Finish();
}

void PrintToken(const Config& config, std::string& out) {
  const auto path = [&](std::string_view name, const fs::path& value) {
    if (!value.empty()) PrintText(name, value.string(), out);
  };
  out += "token {\n";
  PrintText("uri", UriOf(config), out);
  if (!config.token.module_arguments.empty()) {
    PrintText("module_arguments", config.token.module_arguments, out);
  }
  path("so_pin_source", config.so_pin_file);
  path("softhsm_config", config.softhsm_config);
  path("objects_directory", config.token.objects_directory);
  path("copies_directory", config.token.copies_directory);
  out += "}\n";
}

}  // namespace coffer::server
