#include "cli/invocation.h"

#include <algorithm>
#include <utility>

#include "coffer/base/parse.h"

namespace coffer::cli {
namespace {

using Kind = Flag::Kind;

std::string Dashed(std::string_view name) {
  std::string text = "-";
  return text.append(name);
}

Error Invalid(std::string_view value, const std::string& name, std::string_view why) {
  std::string text = "invalid value \"";
  text.append(value).append("\" for flag ").append(Dashed(name)).append(": ").append(why);
  return {Code::kInvalid, std::move(text), {}};
}

void SetHeader(Target& target, std::string name, std::string value) {
  std::erase_if(target.headers, [&](const auto& header) { return header.first == name; });
  target.headers.emplace_back(std::move(name), std::move(value));
}

Status TakeHeader(Target& target, const std::string& value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos) return Fail(Invalid(value, "header", "expected NAME=VALUE"));
  target.headers.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  return {};
}

// One of CommonFlags().
Status TakeCommon(Invocation& call, std::string_view name, const std::string& value) {
  Target& target = call.target;
  const std::pair<std::string_view, std::string*> texts[] = {
      {"address", &target.address},
      {"agent-address", &target.address},
      {"field", &call.field},
      {"namespace", &target.name_space},
      {"ns", &target.name_space},
      {"ca-cert", &target.ca_cert},
      {"ca-path", &target.ca_path},
      {"client-cert", &target.client_cert},
      {"client-key", &target.client_key},
      {"tls-server-name", &target.tls_server_name}};
  for (const auto& [known, place] : texts) {
    if (name == known) *place = value;
  }
  if (name == "format") {
    COFFER_ASSIGN(call.format, ParseFormat(value));
  }
  if (name == "tls-skip-verify") target.tls_skip_verify = true;
  if (name == "output-curl-string") target.print_curl = true;
  if (name == "output-policy") call.print_policy = true;
  if (name == "wrap-ttl") SetHeader(target, "X-Vault-Wrap-TTL", value);
  if (name == "mfa") target.headers.emplace_back("X-Vault-MFA", value);
  if (name == "policy-override") SetHeader(target, "X-Vault-Policy-Override", "true");
  return name == "header" ? TakeHeader(target, value) : Status{};
}

const Flag* Find(const std::vector<Flag>& flags, std::string_view name) {
  const auto found = std::ranges::find(flags, name, &Flag::name);
  return found == flags.end() ? nullptr : &*found;
}

// "--flag", "-f"; a lone "-" is a word: standard input.
bool IsFlag(std::string_view word) { return word.size() > 1 && word.starts_with('-'); }

Status CheckValue(const Flag& flag, const std::string& value) {
  const std::string name(flag.name);
  if (flag.kind == Kind::kDuration && value != "-1" && !ParseDurationSeconds(value)) {
    return Fail(Invalid(value, name, "time: invalid duration \"" + value + "\""));
  }
  if (flag.kind == Kind::kNumber && !ParseInt64(value)) {
    return Fail(Invalid(value, name, "not a whole number"));
  }
  if (flag.kind == Kind::kPair && value.find('=') == std::string::npos) {
    return Fail(Invalid(value, name, "expected NAME=VALUE"));
  }
  return {};
}

// The flags and words of one command line, taken one by one.
class Reader {
 public:
  Reader(const Command& command, const std::vector<std::string>& arguments, Invocation& call)
      : command_(command), common_(CommonFlags(command)), arguments_(arguments), call_(call) {}

  Status Read() {
    bool only_words = false;  // after "--"
    for (; at_ < arguments_.size(); ++at_) {
      const std::string& word = arguments_[at_];
      if (!only_words && word == "--") {
        only_words = true;
      } else if (only_words || !IsFlag(word)) {
        call_.words.push_back(word);
      } else {
        COFFER_TRY(Take(word.substr(word.find_first_not_of('-'))));
      }
    }
    return {};
  }

 private:
  Status Take(std::string name) {
    const std::size_t equals = name.find('=');
    const bool has_value = equals != std::string::npos;
    std::string value = has_value ? name.substr(equals + 1) : "";
    if (has_value) name.resize(equals);
    const Flag* const own = Find(command_.flags, name);
    const Flag* const flag = own != nullptr ? own : Find(common_, name);
    if (flag == nullptr) {
      return Fail(Code::kInvalid, "flag provided but not defined: " + Dashed(name));
    }
    if (flag->kind == Kind::kSwitch && has_value) {
      const auto on = ParseBool(value);
      if (!on) {
        return Fail(Code::kInvalid, "invalid boolean value \"" + value + "\" for " + Dashed(name));
      }
      if (!*on) return {};
    }
    if (flag->kind != Kind::kSwitch && !has_value) {
      if (++at_ == arguments_.size()) {
        return Fail(Code::kInvalid, "flag needs an argument: " + Dashed(name));
      }
      value = arguments_[at_];
    }
    COFFER_TRY(CheckValue(*flag, value));
    if (own == nullptr) return TakeCommon(call_, name, value);
    call_.flags[name].push_back(std::move(value));
    return {};
  }

  const Command& command_;
  const std::vector<Flag> common_;
  const std::vector<std::string>& arguments_;
  Invocation& call_;
  std::size_t at_ = 0;
};

Status CheckNumber(const Command& command, std::size_t words) {
  const auto counted = [&](const char* what, std::size_t wanted) {
    return Fail(Code::kInvalid, std::string(what) + " arguments (expected " +
                                    (command.name == "delete" ? "at least " : "") +
                                    std::to_string(wanted) + ", got " + std::to_string(words) +
                                    ")");
  };
  if (words < command.least) return counted("Not enough", command.least);
  if (words > command.most) return counted("Too many", command.most);
  return {};
}

}  // namespace

std::string Invocation::Get(std::string_view flag, std::string_view otherwise) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? std::string(otherwise) : found->second.back();
}

std::vector<Flag> CommonFlags(const Command& command) {
  if (command.local) return {};
  std::vector<Flag> flags{
      {"address", Kind::kText, "the server: http://HOST:PORT, https://HOST:PORT or unix:PATH"},
      {"agent-address", Kind::kText, "as -address"},
      {"ca-cert", Kind::kText, "file with the certificates to trust"},
      {"ca-path", Kind::kText, "directory with the certificates to trust"},
      {"client-cert", Kind::kText, "file with our certificate"},
      {"client-key", Kind::kText, "file with its key"},
      {"tls-server-name", Kind::kText, "the name to expect in the server's certificate"},
      {"tls-skip-verify", Kind::kSwitch, "trust any certificate: for tests only"},
      {"namespace", Kind::kText, "sent to the server as X-Vault-Namespace"},
      {"ns", Kind::kText, "as -namespace"},
      {"header", Kind::kText, "NAME=VALUE, one more header"},
      {"wrap-ttl", Kind::kText, "sent to the server as X-Vault-Wrap-TTL"},
      {"mfa", Kind::kText, "sent to the server as X-Vault-MFA"},
      {"policy-override", Kind::kSwitch, "sent to the server as X-Vault-Policy-Override"},
      {"output-curl-string", Kind::kSwitch, "print the request as a curl command instead"},
      {"output-policy", Kind::kSwitch, "print the policy that allows the request instead"},
      {"disable-redirects", Kind::kSwitch, "taken and not needed: redirects are not followed"},
      {"non-interactive", Kind::kSwitch, "taken and not needed"},
      {"unlock-key", Kind::kText, "taken and not needed"}};
  if (command.shows == Shows::kFields) {
    flags.push_back({"field", Kind::kText, "this one value of the answer and nothing else"});
  }
  if (command.shows != Shows::kNothing) {
    flags.push_back({"format", Kind::kText, "table, json, yaml or raw"});
  }
  return flags;
}

Result<Invocation> ParseInvocation(const Command& command,
                                   const std::vector<std::string>& arguments) {
  Invocation call;
  if (command.local) {
    COFFER_TRY(Reader(command, arguments, call).Read());
    COFFER_TRY(CheckNumber(command, call.words.size()));
    return call;
  }
  COFFER_ASSIGN(call.target, Target::FromEnvironment());
  if (const std::string format = Variable("FORMAT"); !format.empty()) {
    COFFER_ASSIGN(call.format, ParseFormat(format));
  }
  // A command without an answer to show prints its sentence, whatever format the variable asks for.
  if (command.shows == Shows::kNothing) call.format = Format::kTable;
  COFFER_TRY(Reader(command, arguments, call).Read());
  COFFER_TRY(CheckNumber(command, call.words.size()));
  COFFER_TRY(call.target.Check());
  return call;
}

}  // namespace coffer::cli
