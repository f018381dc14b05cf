#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "coffer/pkcs11/uri.h"
#include "server/config/config_file.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;

// Trims as SoftHSM does: by isspace() of the C locale.
std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// The part of `line` up to the next '=', which is taken from it; signs in front count for nothing.
std::string_view NextPart(std::string_view& line) {
  const std::size_t begin = line.find_first_not_of('=');
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  const std::string_view part = line.substr(0, line.find('='));
  line.remove_prefix(part.size());
  return part;
}

// SoftHSM's own setting of where it keeps its objects, read as SoftHSM reads it: those files are
// synced after each change. A comment may begin anywhere, a second '=' ends the value, the last
// line that sets it counts.
Result<fs::path> TokenDirectoryOf(const fs::path& softhsm_config, hcl::Position at) {
  const auto refuse = [&](const std::string& why) {
    return hcl::FailAt(at, "\"softhsm_config\" " + softhsm_config.string() + " " + why);
  };
  std::ifstream in(softhsm_config);
  if (!in) return refuse("cannot be read: " + std::string(std::strerror(errno)));
  fs::path directory;
  for (std::string text; std::getline(in, text);) {
    std::string_view line(text);
    line = line.substr(0, line.find_first_of("#\r"));
    const std::string_view name = Trimmed(NextPart(line));
    const std::string_view value = Trimmed(NextPart(line));
    if (name == "directories.tokendir" && !value.empty()) directory = value;
  }
  if (directory.empty()) return refuse("does not set directories.tokendir");
  if (!directory.is_absolute()) {
    return refuse("sets directories.tokendir to " + directory.string() +
                  ", which is no absolute path");
  }
  return directory;
}

bool IsSoftHsm(const fs::path& module) {
  return module.filename().string().find("softhsm") != std::string::npos;
}

// The configuration file that SoftHSM reads by default; empty if it cannot be read.
fs::path SoftHsmsOwnConfig() {
  const char* const named = std::getenv("SOFTHSM2_CONF");
  const char* const home = std::getenv("HOME");
  std::vector<fs::path> places;
  if (named != nullptr) {
    places.emplace_back(named);
  } else {
    if (home != nullptr) places.push_back(fs::path(home) / ".config/softhsm2/softhsm2.conf");
    places.emplace_back("/etc/softhsm/softhsm2.conf");
  }
  for (const fs::path& place : places) {
    std::error_code error;
    if (std::ifstream(place) && fs::is_regular_file(place, error))
      return fs::absolute(place, error);
  }
  return {};
}

Status ReadUri(hcl::ObjectReader& reader, hcl::Position block, Config& config) {
  COFFER_ASSIGN(const auto text, reader.Text("uri"));
  if (!text) return reader.Missing("uri", block);
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
  COFFER_ASSIGN(const auto readable, reader.Boolean("accept_readable_pin"));
  config.accept_readable_pin = readable.value_or(false);
  COFFER_TRY(ReadPath(reader, "softhsm_config", config.softhsm_config));
  if (config.softhsm_config.empty() && IsSoftHsm(config.token.module)) {
    config.softhsm_config = SoftHsmsOwnConfig();
  }
  COFFER_TRY(ReadPath(reader, "objects_directory", config.token.objects_directory));
  COFFER_TRY(ReadPath(reader, "copies_directory", config.token.copies_directory));
  COFFER_ASSIGN(const auto oaep, reader.Text("import_oaep"));
  if (oaep && *oaep != "token") {
    return hcl::FailAt(
        reader.At("import_oaep"),
        "\"import_oaep\" can only be \"token\": \"process\" is for coffer server -dev "
        "on SoftHSM");
  }
  COFFER_ASSIGN(const auto verify, reader.Boolean("verify_ecdsa_signatures"));
  config.engine.verify_ecdsa = verify.value_or(false);
  if (config.token.objects_directory.empty() && !config.softhsm_config.empty()) {
    COFFER_ASSIGN(config.token.objects_directory,
                  TokenDirectoryOf(config.softhsm_config, reader.At("softhsm_config")));
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
  if (config.accept_readable_pin) out += "  accept_readable_pin = true\n";
  path("softhsm_config", config.softhsm_config);
  path("objects_directory", config.token.objects_directory);
  path("copies_directory", config.token.copies_directory);
  PrintText("import_oaep", keyring::ImportedThroughName(config.token.import_oaep), out);
  PrintBoolean("verify_ecdsa_signatures", config.engine.verify_ecdsa, out);
  out += "}\n";
}

}  // namespace coffer::server
