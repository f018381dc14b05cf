#include "cli/invocation.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "coffer/base/parse.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

Result<Format> ParseFormat(std::string_view text) {
  if (text == "table") return Format::kTable;
  if (text == "json") return Format::kJson;
  if (text == "yaml") return Format::kYaml;
  return Fail(Code::kInvalid, "unknown format " + std::string(text) + ": table, json or yaml");
}

// True where the flag is one of those that every command has.
Result<bool> TakeCommon(Invocation& call, std::string_view name, std::string value) {
  Target& target = call.target;
  const std::pair<std::string_view, std::string*> texts[] = {
      {"address", &target.address},
      {"field", &call.field},
      {"namespace", &target.name_space},
      {"ns", &target.name_space},
      {"ca-cert", &target.ca_cert},
      {"ca-path", &target.ca_path},
      {"client-cert", &target.client_cert},
      {"client-key", &target.client_key},
      {"tls-server-name", &target.tls_server_name}};
  for (const auto& [known, place] : texts) {
    if (name != known) continue;
    *place = std::move(value);
    return true;
  }
  if (name == "format") {
    COFFER_ASSIGN(call.format, ParseFormat(value));
  } else if (name == "tls-skip-verify") {
    target.tls_skip_verify = true;
  } else if (name == "output-curl-string") {
    target.print_curl = true;
  } else if (name == "wrap-ttl") {
    target.headers.emplace_back("X-Vault-Wrap-TTL", std::move(value));
  } else if (name == "header") {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos || value.find_first_of("\r\n") != std::string::npos) {
      return Fail(Code::kInvalid, "flag -header wants NAME=VALUE");
    }
    target.headers.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  } else {
    return false;
  }
  return true;
}

const Flag* Find(const std::vector<Flag>& flags, std::string_view name) {
  const auto found = std::ranges::find(flags, name, &Flag::name);
  return found == flags.end() ? nullptr : &*found;
}

// "--flag", "-f"; a lone "-" is a word: standard input.
bool IsFlag(std::string_view word) { return word.size() > 1 && word.starts_with('-'); }

std::pair<std::string, std::string> SplitPair(const std::string& word) {
  const std::size_t equals = word.find('=');
  return {word.substr(0, equals), word.substr(equals + 1)};
}

bool IsPair(const std::string& word) {
  const std::size_t equals = word.find('=');
  return equals != std::string::npos && equals > 0;
}

}  // namespace

std::string Invocation::Get(std::string_view flag, std::string_view otherwise) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? std::string(otherwise) : found->second;
}

const std::vector<Flag>& CommonFlags() {
  static const std::vector<Flag> flags{
      {"address", false, "the server: http://HOST:PORT, https://HOST:PORT or unix:PATH"},
      {"format", false, "table, json or yaml"},
      {"field", false, "this one value of the answer and nothing else"},
      {"namespace", false, "sent to the server as X-Vault-Namespace"},
      {"ns", false, "as -namespace"},
      {"ca-cert", false, "file with the certificates to trust"},
      {"ca-path", false, "directory with the certificates to trust"},
      {"client-cert", false, "file with our certificate"},
      {"client-key", false, "file with its key"},
      {"tls-server-name", false, "the name to expect in the server's certificate"},
      {"tls-skip-verify", true, "trust any certificate: for tests only"},
      {"header", false, "NAME=VALUE, one more header"},
      {"wrap-ttl", false, "sent to the server as X-Vault-Wrap-TTL"},
      {"output-curl-string", true, "print the request as a curl command instead"}};
  return flags;
}

Result<Invocation> ParseInvocation(const Command& command,
                                   const std::vector<std::string>& arguments) {
  Invocation call;
  COFFER_ASSIGN(call.target, Target::FromEnvironment());
  if (const std::string format = Variable("FORMAT"); !format.empty()) {
    COFFER_ASSIGN(call.format, ParseFormat(format));
  }
  bool only_words = false;  // behind "--"
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (!only_words && arguments[i] == "--") {
      only_words = true;
      continue;
    }
    if (only_words || !IsFlag(arguments[i])) {
      call.words.push_back(arguments[i]);
      continue;
    }
    std::string name = arguments[i].substr(arguments[i].find_first_not_of('-'));
    const std::size_t equals = name.find('=');
    std::string value;
    if (equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    }
    const Flag* const own = Find(command.flags, name);
    const Flag* const flag = own != nullptr ? own : Find(CommonFlags(), name);
    if (flag == nullptr) {
      return Fail(Code::kInvalid,
                  "unknown flag -" + name + "; see coffer " + std::string(command.name) + " -help");
    }
    if (flag->switches && equals != std::string::npos) {
      const auto on = ParseBool(value);
      if (!on) return Fail(Code::kInvalid, "flag -" + name + " takes no value but true and false");
      if (!*on) continue;
    }
    if (!flag->switches && equals == std::string::npos) {
      if (++i == arguments.size()) return Fail(Code::kInvalid, "flag -" + name + " needs a value");
      value = arguments[i];
    }
    if (own != nullptr) {
      call.flags[name] = value;
    } else {
      COFFER_TRY(TakeCommon(call, name, std::move(value)));
    }
  }
  if (call.words.size() < command.least || call.words.size() > command.most) {
    return Fail(Code::kInvalid,
                "usage: coffer " + std::string(command.name) + " " + std::string(command.synopsis));
  }
  return call;
}

int Complain(std::string_view sentence, int code) {
  std::fprintf(stderr, "coffer: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
  return code;
}

Result<Answer> Ask(Invocation& call, std::string_view method, const std::string& path,
                   const std::string& body, int& code) {
  VaultClient client(call.target);
  if (call.target.print_curl) {
    std::printf("%s\n", client.CurlCommand(method, path, body).c_str());
    code = kDone;
    return Fail(Code::kInvalid, "");
  }
  auto answer = client.Call(method, path, body);
  if (!answer) {
    code = Complain(answer.error().message, kRemoteFailure);
  } else if (answer->status >= 400) {
    code = Complain(ErrorText(answer->status, answer->body), kRemoteFailure);
    return Fail(answer->status == 404 ? Code::kNotFound : Code::kInvalid, "");
  }
  return answer;
}

int Show(const Invocation& call, std::string_view answer) {
  if (call.field.empty()) {
    const auto text = Render(answer, call.format);
    if (!text) return Complain(text.error().message, kLocalFailure);
    std::fwrite(text->data(), 1, text->size(), stdout);
    return kDone;
  }
  const auto text = RenderField(answer, call.format, call.field);
  if (!text) return Complain(text.error().message, kLocalFailure);
  std::fwrite(text->data(), 1, text->size(), stdout);
  // For a program the value is all there is; on a terminal the prompt shall not stick to it.
  if (::isatty(STDOUT_FILENO) == 1) std::fputc('\n', stdout);
  return kDone;
}

int Exchange(Invocation& call, std::string_view method, const std::string& path,
             const std::string& body, std::string_view success) {
  int code = kDone;
  const auto answer = Ask(call, method, path, body, code);
  if (!answer) return code;
  if (!answer->body.empty()) return Show(call, answer->body);
  if (call.format == Format::kTable) {
    std::printf("%.*s\n", static_cast<int>(success.size()), success.data());
  }
  return kDone;
}

int ExchangeList(Invocation& call, const std::string& path) {
  if (call.format == Format::kTable || !call.field.empty()) return Exchange(call, "LIST", path, "");
  int code = kDone;
  const auto answer = Ask(call, "LIST", path, "", code);
  if (!answer) return code;
  return Show(call, json::parse(answer->body).at("data").at("keys").dump());
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

Result<std::string> BodyOf(const std::vector<std::string>& words, std::size_t first) {
  json body = json::object();
  for (std::size_t i = first; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "-" || word.starts_with('@')) {
      COFFER_ASSIGN(const std::string text, ReadAll(word == "-" ? word : word.substr(1)));
      json whole = json::parse(text, nullptr, false);
      if (!whole.is_object()) return Fail(Code::kInvalid, word + " is not a JSON object");
      body.update(whole);
      continue;
    }
    if (!IsPair(word)) return Fail(Code::kInvalid, "expected NAME=VALUE, not " + word);
    auto [name, value] = SplitPair(word);
    if (value == "-" || value.starts_with('@')) {
      COFFER_ASSIGN(value, ReadAll(value == "-" ? value : value.substr(1)));
    } else if (value.starts_with("\\@")) {
      value.erase(0, 1);
    }
    json& member = body[name];
    if (member.is_null()) {
      member = std::move(value);
    } else {
      if (!member.is_array()) member = json::array({std::move(member)});
      member.push_back(std::move(value));
    }
  }
  return body.dump();
}

Result<std::string> QueryOf(const std::vector<std::string>& words, std::size_t first) {
  std::string query;
  for (std::size_t i = first; i < words.size(); ++i) {
    if (!IsPair(words[i])) return Fail(Code::kInvalid, "expected NAME=VALUE, not " + words[i]);
    const auto [name, value] = SplitPair(words[i]);
    query += (query.empty() ? "?" : "&") + EscapeUrl(name, "") + "=" + EscapeUrl(value, "");
  }
  return query;
}

std::string PathOf(std::string path) {
  while (path.starts_with('/')) path.erase(0, 1);
  return path;
}

std::string MountOf(std::string path) {
  path = PathOf(std::move(path));
  while (path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace coffer::cli
