// Policies: writing, reading, testing.

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/exchange.h"
#include "cli/key_values.h"
#include "cli/policy_cases.h"
#include "cli/policy_format.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// The path of a policy; its name may hold anything.
std::string PolicyPath(const std::string& name) {
  return "sys/policies/acl/" + EscapeUrl(name, "/");
}

std::string PolicyNameOf(const std::string& word) {
  std::string name(PathOf(word));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return name;
}

int WritePolicy(Invocation& call) {
  const std::string name = PolicyNameOf(call.words[0]);
  const auto text = ReadAll(call.words[1]);
  if (!text) return Complain(text.error().message, kLocalFailure);
  return Exchange(
      call, {"PUT", PolicyPath(name), json{{"policy", *text}}.dump(), "Error uploading policy"},
      "Success! Uploaded policy: " + name);
}

int ReadPolicy(Invocation& call) {
  const std::string name = PolicyNameOf(call.words[0]);
  int code = kDone;
  Request request{"GET", PolicyPath(name), "", "Error reading policy named " + name};
  request.may_be_absent = true;
  const auto answer = Ask(call, request, code);
  if (!answer) return code;
  if (answer->status == 404) return Complain("No policy named: " + name, kRemoteFailure);
  const json data = json::parse(answer->body).at("data");
  if (call.format != Format::kTable) return ShowDocument(call, {{"policy", data.at("policy")}});
  const std::string text = data.at("policy");
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.ends_with('\n')) std::fputc('\n', stdout);
  return kDone;
}

int ListPolicies(Invocation& call) {
  int code = kDone;
  const auto answer =
      Ask(call, {"GET", "sys/policies/acl?list=true", "", "Error listing policies"}, code);
  if (!answer) return code;
  const json names = json::parse(answer->body).at("data").at("keys");
  if (call.format != Format::kTable) return ShowDocument(call, names);
  for (const json& name : names) std::printf("%s\n", name.get<std::string>().c_str());
  return kDone;
}

int DeletePolicy(Invocation& call) {
  const std::string name = PolicyNameOf(call.words[0]);
  return Exchange(call, {"DELETE", PolicyPath(name), "", "Error deleting " + name},
                  "Success! Deleted policy: " + name);
}

int FormatPolicy(Invocation& call) {
  const std::string& file = call.words[0];
  const auto text = ReadAll(file);
  if (!text) return Complain(text.error().message, kLocalFailure);
  const auto formatted = FormattedPolicy(*text);
  if (!formatted) {
    return Complain("Error formatting policy: " + formatted.error().message, kLocalFailure);
  }
  if (file == "-") {
    std::fwrite(formatted->data(), 1, formatted->size(), stdout);
    return kDone;
  }
  if (const Status written = ReplaceFile(file, *formatted); !written) {
    return Complain(written.error().message, kLocalFailure);
  }
  Say(call, "Success! Formatted policy: " + file);
  return kDone;
}

// Asks the server about a case of one of its tokens.
std::optional<std::string> AskServer(const Invocation& call, const PolicyCase& asked, int& code) {
  json body{{"path", asked.path}, {"operation", asked.operation}};
  body["accessor"] = asked.accessor;
  for (const auto& [name, value] : asked.parameters) body["parameters"][name] = value;
  const auto answer = Ask(call, {"PUT", "sys/explain", body.dump(), "Error explaining"}, code);
  if (!answer) return std::nullopt;
  const json data = json::parse(answer->body).at("data");
  return data.at("allowed").get<bool>() ? std::string() : data.at("reason").get<std::string>();
}

int TestPolicies(Invocation& call) {
  const auto cases = ReadPolicyCases(call.words[0]);
  if (!cases) return Complain(cases.error().message, kLocalFailure);
  std::size_t wrong = 0;
  for (const PolicyCase& each : *cases) {
    std::string reason = each.refusal;
    if (!each.accessor.empty()) {
      int code = kDone;
      auto answered = AskServer(call, each, code);
      if (!answered) return code;
      reason = std::move(*answered);
    }
    if (reason.empty() == each.allow) continue;
    ++wrong;
    std::printf("FAIL %s: %s %s is %s\n", each.name.c_str(), each.operation.c_str(),
                each.path.c_str(), reason.empty() ? "allowed" : ("refused: " + reason).c_str());
  }
  std::printf("%zu of %zu cases are as expected\n", cases->size() - wrong, cases->size());
  return wrong == 0 ? kDone : kLocalFailure;
}

}  // namespace

std::vector<Command> PolicyCommands() {
  return {{.name = "policy write",
           .synopsis = "NAME FILE|-",
           .help = "store the policy in FILE, or on standard input",
           .examples = "coffer policy write app app.hcl\ncoffer policy write app - < app.hcl",
           .least = 2,
           .most = 2,
           .run = WritePolicy},
          {.name = "policy read",
           .synopsis = "NAME",
           .help = "the text of a policy",
           .examples = "coffer policy read default",
           .shows = Shows::kFormats,
           .least = 1,
           .most = 1,
           .run = ReadPolicy},
          {.name = "policy list",
           .help = "the names of the policies",
           .examples = "coffer policy list",
           .shows = Shows::kFormats,
           .run = ListPolicies},
          {.name = "policy delete",
           .synopsis = "NAME",
           .help = "delete a policy; tokens that have it lose what it grants",
           .examples = "coffer policy delete app",
           .least = 1,
           .most = 1,
           .run = DeletePolicy},
          {.name = "policy fmt",
           .synopsis = "FILE|-",
           .help = "write a policy's file anew with even indentation",
           .examples = "coffer policy fmt app.hcl",
           .local = true,
           .least = 1,
           .most = 1,
           .run = FormatPolicy},
          {.name = "policy test",
           .synopsis = "FILE",
           .help = "check the cases in FILE; 1 if one is not as expected",
           .examples = "coffer policy test app_test.hcl",
           .least = 1,
           .most = 1,
           .run = TestPolicies}};
}

}  // namespace coffer::cli
