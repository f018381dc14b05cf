#include "server/console/families.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "coffer/audit/query.h"
#include "coffer/audit/verifier.h"
#include "coffer/base/progress_line.h"
#include "coffer/crypto/ecdsa.h"
#include "server/console/command_line.h"
#include "server/serve_command.h"

namespace coffer::server {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kTimes = "as 2026-11-24, 2026-11-24T12:00 or 2026-11-24T12:00:30Z";

struct AuditFlags {
  std::vector<std::string> files;
  std::string key;
  std::string anchor;
  std::string format = "table";
  bool partial = false;
  audit::QueryFilter filter;
  std::string outcome;
};

tl::unexpected<Error> Unreadable(const std::string& file) {
  return Fail(Code::kInvalid, "failed to read " + file + ": " + std::strerror(errno));
}

Result<std::string> ReadText(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Unreadable(file);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return Unreadable(file);
  return text.str();
}

std::string_view KindName(audit::Finding::Kind kind) {
  switch (kind) {
    case audit::Finding::Kind::kEdited:
      return "edited";
    case audit::Finding::Kind::kMissing:
      return "missing";
    case audit::Finding::Kind::kInserted:
      return "inserted";
    case audit::Finding::Kind::kOutOfOrder:
      return "out-of-order";
    case audit::Finding::Kind::kRewritten:
      return "rewritten";
    case audit::Finding::Kind::kSignature:
      return "signature";
    case audit::Finding::Kind::kUnproven:
      return "unproven";
    case audit::Finding::Kind::kCut:
      return "cut";
  }
  return "";
}

void PrintReport(const audit::VerifyReport& report, const AuditFlags& flags, double seconds) {
  for (const audit::Finding& finding : report.findings) {
    std::printf("%s:%llu: %s: %s\n", flags.files[finding.file].c_str(),
                static_cast<unsigned long long>(finding.line),
                std::string(KindName(finding.kind)).c_str(), finding.text.c_str());
  }
  if (report.more_findings > 0) {
    std::printf("and %llu findings more\n", static_cast<unsigned long long>(report.more_findings));
  }
  for (const std::string& remark : report.remarks) std::printf("note: %s\n", remark.c_str());
  std::printf(
      "%llu lines, entries %llu to %llu, signed up to entry %llu by %llu checkpoints, %s "
      "(%.2f s)\n",
      static_cast<unsigned long long>(report.lines), static_cast<unsigned long long>(report.first),
      static_cast<unsigned long long>(report.last), static_cast<unsigned long long>(report.covered),
      static_cast<unsigned long long>(report.checkpoints),
      report.Intact() ? "as they were written" : "NOT as they were written", seconds);
}

void PrintJson(const audit::VerifyReport& report, const AuditFlags& flags) {
  json findings = json::array();
  for (const audit::Finding& finding : report.findings) {
    findings.push_back({{"file", flags.files[finding.file]},
                        {"line", finding.line},
                        {"kind", KindName(finding.kind)},
                        {"first_entry", finding.first},
                        {"last_entry", finding.last},
                        {"text", finding.text}});
  }
  const json out{{"intact", report.Intact()},
                 {"lines", report.lines},
                 {"first_entry", report.first},
                 {"last_entry", report.last},
                 {"signed_up_to", report.covered},
                 {"checkpoints", report.checkpoints},
                 {"unproven", report.unproven},
                 {"findings", std::move(findings)},
                 {"more_findings", report.more_findings},
                 {"notes", report.remarks}};
  std::printf("%s\n", out.dump(2, ' ', false, json::error_handler_t::replace).c_str());
}

Result<int> VerifyFiles(const AuditFlags& flags) {
  COFFER_ASSIGN(const std::string pem, ReadText(flags.key));
  auto key = crypto::EcdsaP256Key::FromPem(pem);
  if (!key) return Fail(Code::kInvalid, flags.key + ": " + key.error().message);
  audit::VerifyOptions options;
  options.partial = flags.partial;
  if (!flags.anchor.empty()) {
    COFFER_ASSIGN(const std::string line, ReadText(flags.anchor));
    audit::Checkpoint anchor;
    if (!audit::ReadCheckpoint(line, anchor) ||
        !key->Verify(audit::SignedOctets(anchor), anchor.signature)) {
      return Fail(Code::kInvalid, flags.anchor + " holds no checkpoint that the key signed");
    }
    options.anchor = std::move(anchor);
  }
  const std::vector<fs::path> files(flags.files.begin(), flags.files.end());
  const auto begin = std::chrono::steady_clock::now();
  ProgressLine line("verifying");
  options.progress = [&line](std::uint64_t done, std::uint64_t total) {
    line.Show(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total));
  };
  const auto verified = audit::Verify(files, *key, options);
  line.Clear();
  if (!verified) return Fail(verified.error());
  const audit::VerifyReport& report = *verified;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (flags.format == "json") {
    PrintJson(report, flags);
  } else {
    PrintReport(report, flags, took.count());
  }
  return report.Intact() ? 0 : 1;
}

Result<int> PrintHead(const AuditFlags& flags) {
  COFFER_ASSIGN(const std::string line, audit::LastCheckpointLine(flags.files.front()));
  std::printf("%s\n", line.c_str());
  return 0;
}

Result<int> QueryFiles(const AuditFlags& flags) {
  audit::QueryFilter filter = flags.filter;
  if (!flags.outcome.empty()) filter.failed = flags.outcome == "error";
  for (const std::string& file : flags.files) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Unreadable(file);
    std::string line;
    while (std::getline(in, line)) {
      if (audit::Matches(line, filter)) std::printf("%s\n", line.c_str());
    }
    if (in.bad()) return Unreadable(file);
  }
  return 0;
}

void Declare(CLI::App& app, AuditFlags& flags) {
  app.require_subcommand(1);
  CLI::App* const verify = app.add_subcommand(
      "verify", "say which lines are not as they were written; needs only the public key");
  verify->add_option("FILE", flags.files, "audit files, oldest first")->required();
  verify->add_option("--key", flags.key, "the public key, PEM (the server's audit-key.pem)")
      ->required();
  verify->add_option("--anchor", flags.anchor,
                     "a checkpoint kept elsewhere, as `coffer audit head` prints it");
  verify->add_flag("--partial", flags.partial, "the first file need not begin with entry 1");
  verify->add_option("--format", flags.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  CLI::App* const head =
      app.add_subcommand("head", "print the last signed checkpoint, to be kept elsewhere");
  head->add_option("FILE", flags.files, "the audit file")->required()->expected(1);
  CLI::App* const query = app.add_subcommand("query", "print the lines that are asked for");
  query->add_option("FILE", flags.files, "audit files")->required();
  const auto is_time = [](const std::string& text) {
    return audit::IsQueryTime(text) ? "" : "\"" + text + "\" is no time in UTC: " + kTimes;
  };
  query->add_option("--since", flags.filter.since, std::string("UTC, ") + kTimes)->check(is_time);
  query->add_option("--until", flags.filter.until, "UTC; entries before it")->check(is_time);
  query->add_option("--path", flags.filter.path, "the request's path; * at the end: any rest");
  query->add_option("--accessor", flags.filter.accessor, "as it stands in the file");
  query->add_option("--key", flags.filter.key, "the name of a transit key");
  query->add_option("--operation", flags.filter.operation, "read, update, ...");
  query->add_option("--type", flags.filter.type, "request, response, system or checkpoint");
  query->add_option("--outcome", flags.outcome, "ok or error")
      ->check(CLI::IsMember({"ok", "error"}));
}

}  // namespace

int AuditCommand(const std::vector<std::string>& arguments) {
  AuditFlags flags;
  CLI::App app("coffer audit: checks and reads audit files, offline", "coffer audit");
  Declare(app, flags);
  if (const auto ended = ParseCommandLine(app, arguments)) return *ended;
  Result<int> done = 0;
  if (app.got_subcommand("verify")) {
    done = VerifyFiles(flags);
  } else if (app.got_subcommand("head")) {
    done = PrintHead(flags);
  } else {
    done = QueryFiles(flags);
  }
  return done ? *done : Report(done.error());
}

}  // namespace coffer::server
