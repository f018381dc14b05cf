#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "cli/invocation.h"
#include "cli/vault_client.h"
#include "coffer/base/result.h"

namespace coffer::cli {

// Prints the sentence on standard error; returns `code`.
int Complain(std::string_view sentence, int code);

struct Request {
  std::string_view method;
  std::string path;
  std::string body{};
  std::string failure;  // what is said in front of why it failed: "Error reading PATH"
  // True if a 404 is an answer that the caller looks at, and no failure.
  bool may_be_absent = false;
};

// Sends one request, or prints it if the flags ask for that. Nothing if there is no answer to use:
// the reason was then printed, and `code` is the exit code.
std::optional<Answer> Ask(const Invocation& call, const Request& request, int& code);

// Prints an answer on standard output in the format that the flags name, and its warnings on
// standard error.
int Show(const Invocation& call, std::string_view answer);
// Shows a document that is no answer's envelope, in a format for programs.
int ShowDocument(const Invocation& call, const nlohmann::json& document);

// Sends one request and shows its answer. If the answer has no body, `success` is printed instead,
// unless a format for programs is asked for.
int Exchange(const Invocation& call, const Request& request, std::string_view success);
// Reads a path like Exchange(); a 404 is "No value found at PATH".
int ExchangeRead(const Invocation& call, const std::string& path, const std::string& query);
// Lists a path like Exchange(); JSON and YAML hold the names alone, and {} if there are none.
// `verb`: "list" or "scan".
int ExchangeList(const Invocation& call, const std::string& path, const std::string& query,
                 std::string_view verb = "list");
// Prints a sentence on standard output, unless a format for programs is asked for.
void Say(const Invocation& call, std::string_view sentence);

}  // namespace coffer::cli
