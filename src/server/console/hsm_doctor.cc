#include "server/console/hsm_commands.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "coffer/base/progress_line.h"
#include "coffer/keyring/token_doctor.h"
#include "server/locked_database.h"
#include "server/token/pin_guard.h"

namespace coffer::server {
namespace {

using keyring::Diagnosis;
using keyring::Finding;
using nlohmann::json;

// Replaces control characters: a text of the token must neither break the table nor control a
// terminal.
std::string Printable(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return plain;
}

std::string SpeedText(double per_second) {
  if (per_second == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof(text), per_second < 10 ? "%.1f" : "%.0f", per_second);
  return text;
}

// How the keys of the examination were kept, as JSON and the table call it.
struct SessionObjects {
  const char* name;
  const char* text;
};
SessionObjects SessionObjectsOf(const Diagnosis& diagnosis, const DoctorFlags& flags) {
  const bool none = std::ranges::all_of(diagnosis.findings, [](const Finding& finding) {
    return finding.way == keyring::Way::kRefused;
  });
  if (none) return {"none", "none: the token made no key as one"};
  if (!diagnosis.keeps_session_objects) return {"go", "go with the session"};
  if (!flags.token_objects) {
    return {"stay", "are kept for good: a doctor that is killed leaves some"};
  }
  return {"stay",
          "none that go with the session: token objects stood in for them, and a doctor that is "
          "killed leaves some"};
}

json ToJson(const Console& console, const Diagnosis& diagnosis, const DoctorFlags& flags) {
  json findings = json::array();
  for (const Finding& finding : diagnosis.findings) {
    json entry{{"key_type", finding.key_type},
               {"operation", finding.operation},
               {"way", keyring::WayName(finding.way)}};
    if (!finding.note.empty()) entry["note"] = finding.note;
    if (finding.per_second > 0) entry["per_second"] = finding.per_second;
    findings.push_back(std::move(entry));
  }
  return json{{"token",
               {{"label", console.config.token.label},
                {"serial", diagnosis.token.serial},
                {"model", diagnosis.token.model},
                {"manufacturer", diagnosis.token.manufacturer},
                {"firmware_version", diagnosis.token.firmware_version},
                {"library", diagnosis.token.library},
                {"module", console.config.token.module.string()}}},
              {"key_wrap", diagnosis.key_wrap},
              {"unwrap_template", diagnosis.unwrap_template},
              {"keeps_epoch", diagnosis.keeps_epoch},
              {"keeps_session_objects", diagnosis.keeps_session_objects},
              {"session_objects", SessionObjectsOf(diagnosis, flags).name},
              {"can_serve", diagnosis.missing.empty()},
              {"missing", diagnosis.missing},
              {"left_behind", diagnosis.left_behind},
              {"findings", findings}};
}

void PrintTable(const Console& console, const Diagnosis& diagnosis, const DoctorFlags& flags) {
  const auto fact = [](const char* name, const std::string& value) {
    std::printf("%-24s %s\n", name, Printable(value).c_str());
  };
  fact("token", console.config.token.label + ", serial " + diagnosis.token.serial + ", " +
                    diagnosis.token.model + " of " + diagnosis.token.manufacturer);
  fact("library", diagnosis.token.library);
  fact("key wrap (RFC 5649)", diagnosis.key_wrap.empty() ? "no" : diagnosis.key_wrap);
  fact("unwrap template", diagnosis.unwrap_template);
  fact("rollback is detected", diagnosis.keeps_epoch ? "yes" : "no: it cannot keep the epoch");
  fact("session objects", SessionObjectsOf(diagnosis, flags).text);
  std::printf("\n%-20s %-21s %-20s %10s  %s\n", "key type", "operation", "way", "per second",
              "note");
  for (const Finding& finding : diagnosis.findings) {
    std::printf("%-20s %-21s %-20s %10s  %s\n", std::string(finding.key_type).c_str(),
                std::string(finding.operation).c_str(),
                std::string(keyring::WayName(finding.way)).c_str(),
                SpeedText(finding.per_second).c_str(), Printable(finding.note).c_str());
  }
  std::printf("\n");
  if (diagnosis.missing.empty()) {
    std::printf("this release can keep its keys in this token\n");
    return;
  }
  std::printf("this release cannot keep its keys in this token; it needs\n");
  for (const std::string& what : diagnosis.missing) std::printf("  %s\n", what.c_str());
}

}  // namespace

Status DoctorHsm(Console& console, const DoctorFlags& flags) {
  SelectSoftHsm(console.config);
  // Before hsm init there is no data directory, where a server's copies of the module lie.
  std::error_code unused;
  if (!std::filesystem::is_directory(console.config.token.copies_directory, unused)) {
    console.config.token.copies_directory = std::filesystem::temp_directory_path(unused);
  }
  return WithPin(console.config, [&](const SecretBytes& pin) -> Status {
    keyring::DoctorOptions options;
    if (flags.quick) options.window = {};
    options.token_objects = flags.token_objects;
    ProgressLine line("examining");
    options.progress = [&line](std::string_view key_type) { line.Doing(key_type); };
    auto diagnosis = keyring::ExamineToken(console.config.token, pin, options);
    line.Clear();
    if (!diagnosis) return Fail(std::move(diagnosis).error());
    if (console.json) {
      using Handler = json::error_handler_t;
      std::printf("%s\n",
                  ToJson(console, *diagnosis, flags).dump(2, ' ', false, Handler::replace).c_str());
    } else {
      PrintTable(console, *diagnosis, flags);
    }
    if (diagnosis->left_behind == 0) return {};
    return Fail(Code::kTokenFailed,
                std::to_string(diagnosis->left_behind) +
                    " objects of the examination could not be destroyed: see coffer hsm gc");
  });
}

}  // namespace coffer::server
