// coffer transit: the engine's calls without Base64 by hand. Plaintext comes from a file or
// standard input, never from an argument.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/invocation.h"
#include "coffer/base/base64.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

std::string Path(const Invocation& call, std::string_view operation) {
  return PathOf(call.Get("mount", "transit")) + "/" + std::string(operation) + "/" +
         call.words.front();
}

// The word behind the key, or standard input; "@FILE" is read.
Result<std::string> Input(const Invocation& call) {
  const std::string word = call.words.size() > 1 ? call.words[1] : "-";
  if (word == "-") return ReadAll("-");
  if (word.starts_with('@')) return ReadAll(word.substr(1));
  return word;
}

void AddAssociatedData(const Invocation& call, json& body) {
  if (call.Has("associated-data")) {
    body["associated_data"] = Base64Encode(AsBytes(call.Get("associated-data")));
  }
}

// The answer's one field on standard output, unless a format or another field is asked for.
int ShowField(Invocation& call, const std::string& path, const json& body, std::string_view field) {
  if (call.field.empty() && call.format == Format::kTable) call.field = field;
  return Exchange(call, "POST", path, body.dump());
}

int Encrypt(Invocation& call) {
  if (call.words.size() > 1 && call.words[1] != "-" && !call.words[1].starts_with('@')) {
    return Complain("plaintext on the command line is seen by others: give - or @FILE",
                    kLocalFailure);
  }
  const auto plaintext = Input(call);
  if (!plaintext) return Complain(plaintext.error().message, kLocalFailure);
  json body{{"plaintext", Base64Encode(AsBytes(*plaintext))}};
  AddAssociatedData(call, body);
  if (call.Has("key-version")) body["key_version"] = call.Get("key-version");
  return ShowField(call, Path(call, "encrypt"), body, "ciphertext");
}

std::string Trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

int Decrypt(Invocation& call) {
  const auto ciphertext = Input(call);
  if (!ciphertext) return Complain(ciphertext.error().message, kLocalFailure);
  json body{{"ciphertext", Trimmed(*ciphertext)}};
  AddAssociatedData(call, body);
  int code = kDone;
  const auto answer = Ask(call, "POST", Path(call, "decrypt"), body.dump(), code);
  if (!answer) return code;
  const json parsed = json::parse(answer->body, nullptr, false);
  const auto plaintext = Base64Decode(parsed.at("data").at("plaintext").get<std::string>());
  if (!plaintext)
    return Complain("the server's answer has another form than expected", kLocalFailure);
  std::fwrite(plaintext->data(), 1, plaintext->size(), stdout);
  return kDone;
}

int Rewrap(Invocation& call) {
  const auto ciphertext = Input(call);
  if (!ciphertext) return Complain(ciphertext.error().message, kLocalFailure);
  json body{{"ciphertext", Trimmed(*ciphertext)}};
  AddAssociatedData(call, body);
  return ShowField(call, Path(call, "rewrap"), body, "ciphertext");
}

int Rotate(Invocation& call) {
  return Exchange(call, "POST", Path(call, "keys") + "/rotate", "{}");
}

int KeysList(Invocation& call) {
  return ExchangeList(call, PathOf(call.Get("mount", "transit")) + "/keys");
}

int KeysCreate(Invocation& call) {
  const json body{{"type", call.Get("type", "aes256-gcm96")}};
  return Exchange(call, "POST", Path(call, "keys"), body.dump());
}

int KeysRead(Invocation& call) { return Exchange(call, "GET", Path(call, "keys"), ""); }

int KeysConfig(Invocation& call) {
  const auto body = BodyOf(call.words, 1);
  if (!body) return Complain(body.error().message, kLocalFailure);
  return Exchange(call, "POST", Path(call, "keys") + "/config", *body);
}

int KeysDelete(Invocation& call) {
  return Exchange(call, "DELETE", Path(call, "keys"), "",
                  "Success! Deleted key: " + call.words.front());
}

}  // namespace

std::vector<Command> TransitCommands() {
  const Flag mount{"mount", false, "where the engine is mounted (default: transit)"};
  const Flag data{"associated-data", false, "text that is bound to the ciphertext"};
  const Flag version{"key-version", false, "the version to encrypt with"};
  const Flag type{"type", false, "the key's type (default: aes256-gcm96)"};
  return {
      {"transit encrypt",
       "KEY [- | @FILE]",
       "encrypt standard input or a file",
       {mount, data, version},
       1,
       2,
       Encrypt},
      {"transit decrypt",
       "KEY [CIPHERTEXT | - | @FILE]",
       "decrypt to standard output",
       {mount, data},
       1,
       2,
       Decrypt},
      {"transit rewrap",
       "KEY [CIPHERTEXT | - | @FILE]",
       "encrypt anew under the latest version",
       {mount, data},
       1,
       2,
       Rewrap},
      {"transit rotate", "KEY", "make the key's next version", {mount}, 1, 1, Rotate},
      {"transit keys list", "", "the keys", {mount}, 0, 0, KeysList},
      {"transit keys create", "[-type=TYPE] KEY", "make a key", {mount, type}, 1, 1, KeysCreate},
      {"transit keys read", "KEY", "what a key is", {mount}, 1, 1, KeysRead},
      {"transit keys config",
       "KEY NAME=VALUE ...",
       "change a key's settings",
       {mount},
       2,
       100,
       KeysConfig},
      {"transit keys delete", "KEY", "destroy a key", {mount}, 1, 1, KeysDelete}};
}

}  // namespace coffer::cli
