#include "cli/policy_cases.h"

#include <filesystem>
#include <map>

#include "cli/key_values.h"
#include "coffer/auth/access_rules.h"
#include "coffer/hcl/object_reader.h"
#include "coffer/hcl/parse.h"

namespace coffer::cli {
namespace {

using PoliciesByName = std::map<std::string, auth::Policy>;

Result<PoliciesByName> ReadPolicies(hcl::ObjectReader& reader,
                                    const std::filesystem::path& folder) {
  PoliciesByName policies;
  COFFER_ASSIGN(const auto blocks, reader.Blocks("policy", 1));
  for (const hcl::Block& block : blocks) {
    const std::string& name = block.labels.front().text;
    hcl::ObjectReader members(*block.body, "the policy");
    COFFER_ASSIGN(const auto file, members.Text("file"));
    COFFER_TRY(members.Finish());
    if (!file) return members.Missing("file", block.at);
    COFFER_ASSIGN(const std::string text, ReadAll((folder / *file).string()));
    auto policy = auth::ParsePolicy(name, text);
    if (!policy) return Fail(Code::kInvalid, *file + ": " + policy.error().message);
    if (!policies.emplace(name, std::move(*policy)).second) {
      return hcl::FailAt(block.at, "the policy \"" + name + "\" is there twice");
    }
  }
  return policies;
}

Status ReadCaseParameters(hcl::ObjectReader& members, PolicyCase& made) {
  const hcl::Value* const value = members.Any("parameters");
  if (value == nullptr) return {};
  if (value->kind != hcl::Value::Kind::kObject) {
    return hcl::FailAt(value->at, "\"parameters\" must be an object");
  }
  for (const hcl::Member& member : value->members) {
    switch (member.value.kind) {
      case hcl::Value::Kind::kText:
        made.parameters.emplace_back(member.name, member.value.text);
        break;
      case hcl::Value::Kind::kInteger:
        made.parameters.emplace_back(member.name, std::to_string(member.value.integer));
        break;
      case hcl::Value::Kind::kBool:
        made.parameters.emplace_back(member.name, member.value.boolean ? "true" : "false");
        break;
      default:
        return hcl::FailAt(member.value.at, "a parameter must be a string, integer or boolean");
    }
  }
  return {};
}

Result<std::string> RefusalBy(const PoliciesByName& known, const std::vector<std::string>& names,
                              const PolicyCase& asked, hcl::Position at) {
  const auth::Policy root{std::string(auth::kRootPolicy), {}};
  std::vector<const auth::Policy*> policies;
  for (const std::string& name : names) {
    const auto found = known.find(name);
    if (found == known.end() && name != auth::kRootPolicy) {
      return hcl::FailAt(at, "there is no policy \"" + name + "\" in this file");
    }
    policies.push_back(name == auth::kRootPolicy ? &root : &found->second);
  }
  const auto rules = auth::AccessRules::Compile(policies);
  const auth::Capability capability = auth::ParseCapability(asked.operation).value();
  const bool lists = capability == auth::Capability::kList || capability == auth::Capability::kScan;
  std::string path = asked.path;
  if (lists && !path.ends_with('/')) path += '/';
  auth::Question question{.path = path, .capability = capability};
  std::vector<auth::Parameter> parameters;
  for (const auto& [name, value] : asked.parameters) {
    parameters.push_back({name, {std::string_view(value)}});
  }
  if (const auth::Permission* const rule = rules->Find(path, lists)) {
    question.parameters_refused = auth::AccessRules::CheckParameters(*rule, parameters);
  }
  const auth::Decision decision = rules->Decide(question);
  return decision.allowed ? std::string() : std::string(std::string_view(decision.reason));
}

Result<PolicyCase> ReadCase(const hcl::Block& block, const PoliciesByName& known) {
  PolicyCase made;
  made.name = block.labels.front().text;
  hcl::ObjectReader members(*block.body, "the test");
  COFFER_ASSIGN(const auto policies, members.Texts("policies"));
  COFFER_ASSIGN(const auto accessor, members.Text("accessor"));
  COFFER_ASSIGN(const auto path, members.Text("path"));
  COFFER_ASSIGN(const auto operation, members.Text("operation"));
  COFFER_ASSIGN(const auto expect, members.Text("expect"));
  COFFER_TRY(ReadCaseParameters(members, made));
  COFFER_TRY(members.Finish());
  if (!path) return members.Missing("path", block.at);
  if (!operation) return members.Missing("operation", block.at);
  if (!expect) return members.Missing("expect", block.at);
  made.path = *path;
  made.operation = *operation;
  const auto capability = auth::ParseCapability(*operation);
  if (!capability || *capability == auth::Capability::kSudo) {
    return hcl::FailAt(members.At("operation"), "unknown operation \"" + *operation + "\"");
  }
  if (*expect != "allow" && *expect != "deny") {
    return hcl::FailAt(members.At("expect"), "\"expect\" is allow or deny");
  }
  made.allow = *expect == "allow";
  made.accessor = accessor.value_or("");
  if (made.accessor.empty() == !policies) {
    return hcl::FailAt(block.at, "a test has either \"policies\" or an \"accessor\"");
  }
  if (!policies) return made;
  COFFER_ASSIGN(made.refusal, RefusalBy(known, *policies, made, members.At("policies")));
  return made;
}

}  // namespace

Result<std::vector<PolicyCase>> ReadPolicyCases(const std::string& file) {
  COFFER_ASSIGN(const std::string text, ReadAll(file));
  auto document = hcl::Parse(text);
  if (!document) return Fail(Code::kInvalid, file + ": " + document.error().message);
  hcl::ObjectReader reader(*document, "the file");
  COFFER_ASSIGN(const PoliciesByName policies,
                ReadPolicies(reader, std::filesystem::path(file).parent_path()));
  COFFER_ASSIGN(const auto blocks, reader.Blocks("test", 1));
  COFFER_TRY(reader.Finish());
  std::vector<PolicyCase> cases;
  for (const hcl::Block& block : blocks) {
    COFFER_ASSIGN(PolicyCase made, ReadCase(block, policies));
    cases.push_back(std::move(made));
  }
  if (cases.empty()) return Fail(Code::kInvalid, file + " has no test");
  return cases;
}

}  // namespace coffer::cli
