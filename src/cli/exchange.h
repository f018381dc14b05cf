#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "cli/invocation.h"
#include "cli/vault_client.h"
#include "coffer/base/result.h"

namespace coffer::cli {

// The sentence on standard error; returns `code`.
int Complain(std::string_view sentence, int code);

struct Request {
  std::string_view method;
  std::string path;
  std::string body{};
  std::string failure;  // what is said in front of why it failed: "Error reading PATH"
  // A 404 is an answer, for the caller to look at.
  bool may_be_absent = false;
};

// One request, or what it would be where the flags ask for that. Nothing where there is no answer
// to use: `code` is the exit code then, and why is said.
std::optional<Answer> Ask(const Invocation& call, const Request& request, int& code);

// An answer's JSON on standard output, as the flags say; its warnings on standard error.
int Show(const Invocation& call, std::string_view answer);
// Shows a document that is no answer's envelope, in a format for programs.
int ShowDocument(const Invocation& call, const nlohmann::json& document);

// One request and its answer's Show(). Where the answer has no body `success` is said instead,
// unless a format for programs is asked for.
int Exchange(const Invocation& call, const Request& request, std::string_view success);
// As Exchange, reading: a 404 is "No value found at PATH".
int ExchangeRead(const Invocation& call, const std::string& path, const std::string& query);
// As Exchange, listing: JSON and YAML are the names alone, and {} where there are none.
// `verb`: "list" or "scan".
int ExchangeList(const Invocation& call, const std::string& path, const std::string& query,
                 std::string_view verb = "list");
// A sentence on standard output where people read it.
void Say(const Invocation& call, std::string_view sentence);

}  // namespace coffer::cli
