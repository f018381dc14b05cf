#include "coffer/cli/commands.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "cli/demo.h"
#include "cli/output.h"
#include "cli/vault_client.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr int kDone = 0;
constexpr int kLocalFailure = 1;
constexpr int kUsageOrAnswer = 2;
constexpr std::string_view kVersion = "Coffer v0.1.0";
constexpr std::string_view kHelp =
    "usage: coffer COMMAND [-address=URL] [-format=table|json] [-field=NAME] ...\n"
    "\n"
    "  server -dev [-data=DIR]      run a local server on a SoftHSM token\n"
    "  status                       whether the server can be used\n"
    "  read PATH                    read what is at PATH\n"
    "  write PATH [NAME=VALUE ...]  write; @FILE reads a value from a file, - from standard input\n"
    "  list PATH                    list what is under PATH\n"
    "  delete PATH                  delete what is at PATH\n"
    "  demo [-data=DIR] [FILE]      encrypt, rotate, rewrap and decrypt the records of a file\n"
    "  version, help\n"
    "\n"
    "VAULT_ADDR and VAULT_TOKEN (or COFFER_ADDR and COFFER_TOKEN) say where the server is and who "
    "asks.\n";

struct Invocation {
  Target target = Target::FromEnvironment();
  Format format = Format::kTable;
  std::string field;
  std::string data_directory;
  std::vector<std::string> words;  // after the command
};

int Complain(const std::string& sentence, int code) {
  std::fprintf(stderr, "coffer: %s\n", sentence.c_str());
  return code;
}

Result<Invocation> ParseInvocation(const std::vector<std::string>& arguments) {
  Invocation call;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (!word.starts_with("--")) {
      call.words.push_back(word);
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    std::string value;
    if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    } else {
      return Fail(Code::kInvalid, "flag -" + name + " needs a value");
    }
    if (name == "address") {
      call.target.address = value;
    } else if (name == "field") {
      call.field = value;
    } else if (name == "data") {
      call.data_directory = value;
    } else if (name == "format" && (value == "json" || value == "table")) {
      call.format = value == "json" ? Format::kJson : Format::kTable;
    } else {
      return Fail(Code::kInvalid, "unknown flag or value: " + word + "; see coffer help");
    }
  }
  return call;
}

Result<std::string> ReadAll(const std::string& file) {
  std::FILE* const in = file == "-" ? stdin : std::fopen(file.c_str(), "rb");
  if (in == nullptr) return Fail(Code::kNotFound, "failed to read " + file);
  std::string content;
  char block[4096];
  for (std::size_t got = 0; (got = std::fread(block, 1, sizeof block, in)) > 0;)
    content.append(block, got);
  const bool failed = std::ferror(in) != 0;
  if (in != stdin) std::fclose(in);
  if (failed) return Fail(Code::kInvalid, "failed to read " + file);
  return content;
}

Result<json> BodyOf(const std::vector<std::string>& words) {
  json body = json::object();
  for (const std::string& word : words) {
    if (word == "-" || word.starts_with('@')) {
      COFFER_ASSIGN(const std::string text, ReadAll(word == "-" ? word : word.substr(1)));
      json whole = json::parse(text, nullptr, false);
      if (!whole.is_object()) return Fail(Code::kInvalid, word + " is not a JSON object");
      body.update(whole);
      continue;
    }
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Fail(Code::kInvalid, "expected NAME=VALUE, not " + word);
    }
    std::string value = word.substr(equals + 1);
    if (value == "-" || value.starts_with('@')) {
      COFFER_ASSIGN(value, ReadAll(value == "-" ? value : value.substr(1)));
    }
    body[word.substr(0, equals)] = std::move(value);
  }
  return body;
}

int Exchange(const Invocation& call, std::string_view method, const std::string& path,
             const std::string& body) {
  VaultClient client(call.target);
  const auto answer = client.Call(method, path, body);
  if (!answer) return Complain(answer.error().message, kLocalFailure);
  if (answer->status >= 400) {
    return Complain(ErrorText(answer->status, answer->body), kUsageOrAnswer);
  }
  if (answer->body.empty()) {
    std::printf("Success! (status %ld)\n", answer->status);
    return kDone;
  }
  const auto text = Render(answer->body, call.format, call.field);
  if (!text) return Complain(text.error().message, kUsageOrAnswer);
  std::fputs(text->c_str(), stdout);
  return kDone;
}

int ShowStatus(const Invocation& call) {
  VaultClient client(call.target);
  const auto answer = client.Call("GET", "sys/seal-status");
  if (!answer) return Complain(answer.error().message, kLocalFailure);
  const auto text = Render(answer->body, call.format, call.field);
  if (!text || answer->status != 200) return Complain("the server gave no status", kLocalFailure);
  std::fputs(text->c_str(), stdout);
  const json status = json::parse(answer->body, nullptr, false);
  return status.value("sealed", true) ? kUsageOrAnswer : kDone;
}

int ShowDemo(const Invocation& call) {
  if (call.words.size() > 1) return Complain("demo takes one file", kUsageOrAnswer);
  DemoOptions options;
  options.data_directory = call.data_directory;
  if (!call.words.empty()) options.file = call.words.front();
  VaultClient client(call.target);
  const Status done = RunDemo(client, options);
  return done ? kDone : Complain(done.error().message, kLocalFailure);
}

int OnPath(const std::string& command, const Invocation& call) {
  if (call.words.empty() || (command != "write" && call.words.size() > 1)) {
    return Complain(command + " takes one path; see coffer help", kUsageOrAnswer);
  }
  std::string path = call.words.front();
  while (path.starts_with('/')) path.erase(0, 1);
  if (command == "read") return Exchange(call, "GET", path, {});
  if (command == "list") return Exchange(call, "LIST", path, {});
  if (command == "delete") return Exchange(call, "DELETE", path, {});
  const auto body = BodyOf({call.words.begin() + 1, call.words.end()});
  if (!body) return Complain(body.error().message, kUsageOrAnswer);
  return Exchange(call, "PUT", path, body->dump());
}

int Dispatch(const std::string& command, const Invocation& call) {
  if (command == "status") return ShowStatus(call);
  if (command == "demo") return ShowDemo(call);
  for (const std::string_view known : {"read", "write", "list", "delete"}) {
    if (command == known) return OnPath(command, call);
  }
  return Complain(command.empty() ? "no command; see coffer help"
                                  : "unknown command " + command + "; see coffer help",
                  kUsageOrAnswer);
}

}  // namespace

std::vector<std::string> NormalizeFlags(std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    if (argument.size() > 2 && argument[0] == '-' && argument[1] != '-') argument.insert(0, 1, '-');
  }
  return arguments;
}

int Run(const std::vector<std::string>& arguments) {
  const std::string command = arguments.empty() ? "" : arguments.front();
  if (command == "help" || command == "--help" || command == "-h") {
    std::fputs(kHelp.data(), stdout);
    return kDone;
  }
  if (command == "version" || command == "--version") {
    std::printf("%s\n", kVersion.data());
    return kDone;
  }
  const auto call = ParseInvocation(arguments);
  if (!call) return Complain(call.error().message, kUsageOrAnswer);
  try {
    return Dispatch(command, *call);
  } catch (const json::type_error& error) {
    // 316: octets that are not UTF-8, which only an argument or a file can bring
    return error.id == 316
               ? Complain("a value is not UTF-8: encode it in base64", kUsageOrAnswer)
               : Complain("the server's answer has another form than expected", kLocalFailure);
  }
}

}  // namespace coffer::cli
