// coffer transit: the engine's calls without Base64 by hand.

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/key_values.h"
#include "cli/transit_values.h"
#include "coffer/base/base64.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using Kind = Flag::Kind;

int Encrypt(Invocation& call) {
  const auto plaintext = SecretInput(call, "plaintext");
  if (!plaintext) return Complain(plaintext.error().message, kLocalFailure);
  json body{{"plaintext", Base64Encode(AsBytes(*plaintext))}};
  AddEncoded(call, {"context", "associated-data"}, body);
  AddPlain(call, {"key-version"}, body);
  return ExchangeValue(
      call, {"POST", TransitPath(call, "encrypt"), body.dump(), "Error encrypting"}, "ciphertext");
}

int Decrypt(Invocation& call) {
  const auto ciphertext = PublicInput(call);
  if (!ciphertext) return Complain(ciphertext.error().message, kLocalFailure);
  json body{{"ciphertext", *ciphertext}};
  AddEncoded(call, {"context", "associated-data"}, body);
  return ExchangeValue(call,
                       {"POST", TransitPath(call, "decrypt"), body.dump(), "Error decrypting"},
                       "plaintext", true);
}

int Rewrap(Invocation& call) {
  const auto ciphertext = PublicInput(call);
  if (!ciphertext) return Complain(ciphertext.error().message, kLocalFailure);
  json body{{"ciphertext", *ciphertext}};
  AddEncoded(call, {"context", "associated-data"}, body);
  AddPlain(call, {"key-version"}, body);
  return ExchangeValue(call, {"POST", TransitPath(call, "rewrap"), body.dump(), "Error rewrapping"},
                       "ciphertext");
}

// The input that is signed or authenticated, and how.
Result<json> InputBody(const Invocation& call) {
  COFFER_ASSIGN(const std::string input, SecretInput(call, "the input"));
  json body{{"input", Base64Encode(AsBytes(input))}};
  AddEncoded(call, {"context"}, body);
  AddPlain(call,
           {"hash-algorithm", "signature-algorithm", "marshaling-algorithm", "salt-length",
            "key-version"},
           body);
  if (call.Has("prehashed")) body["prehashed"] = true;
  return body;
}

int Sign(Invocation& call) {
  const auto body = InputBody(call);
  if (!body) return Complain(body.error().message, kLocalFailure);
  return ExchangeValue(call, {"POST", TransitPath(call, "sign"), body->dump(), "Error signing"},
                       "signature");
}

int Hmac(Invocation& call) {
  auto body = InputBody(call);
  if (!body) return Complain(body.error().message, kLocalFailure);
  AddPlain(call, {"algorithm"}, *body);
  return ExchangeValue(
      call, {"POST", TransitPath(call, "hmac"), body->dump(), "Error making the HMAC"}, "hmac");
}

int Verify(Invocation& call) {
  if (call.Has("signature") == call.Has("hmac")) {
    return Complain("give one of -signature and -hmac", kLocalFailure);
  }
  auto body = InputBody(call);
  if (!body) return Complain(body.error().message, kLocalFailure);
  AddPlain(call, {"signature", "hmac"}, *body);
  if (call.Has("hmac")) AddPlain(call, {"algorithm"}, *body);
  int code = kDone;
  const auto answer =
      Ask(call, {"POST", TransitPath(call, "verify"), body->dump(), "Error verifying"}, code);
  if (!answer) return code;
  const bool all = call.format != Format::kTable || !call.field.empty();
  const int shown = all ? Show(call, answer->body) : kDone;
  const auto valid = RenderField(answer->body, Format::kTable, "valid");
  if (shown != kDone) return shown;
  if (valid && *valid == "true") {
    if (!all) Say(call, "valid");
    return kDone;
  }
  return all ? kRemoteFailure : Complain("not valid", kRemoteFailure);
}

// A plaintext data key has two values: the file of -out takes the key itself, standard output then
// its ciphertext.
int Datakey(Invocation& call) {
  const std::string type = call.Get("type", "wrapped");
  json body = json::object();
  AddEncoded(call, {"context"}, body);
  AddPlain(call, {"bits", "key-version"}, body);
  const Request request{"POST", TransitPath(call, "datakey/" + type), body.dump(),
                        "Error making the data key"};
  if (type == "wrapped") return ExchangeValue(call, request, "ciphertext");
  if (!call.Has("out")) return Exchange(call, request, "");
  if (const int refused = RefuseWholeInFile(call); refused != kDone) return refused;
  int code = kDone;
  const auto answer = Ask(call, request, code);
  if (!answer) return code;
  if (const int kept = ShowValue(call, answer->body, "plaintext", true); kept != kDone) return kept;
  call.flags.erase("out");
  return ShowValue(call, answer->body, "ciphertext", false);
}

std::vector<Flag> SigningFlags() {
  return {kMountFlag,
          kInFlag,
          kOutFlag,
          kContextFlag,
          kVersionFlag,
          {"hash-algorithm", Kind::kText, "sha2-256, sha2-512, sha3-256, ... or none"},
          {"signature-algorithm", Kind::kText, "of RSA keys: pss or pkcs1v15"},
          {"marshaling-algorithm", Kind::kText, "of ECDSA keys: asn1 or jws"},
          {"salt-length", Kind::kText, "of PSS: auto, hash or a number"},
          {"prehashed", Kind::kSwitch, "the input is a digest already"}};
}

std::vector<Command> Ciphers() {
  const Flag data{"associated-data", Kind::kText, "text that is bound to the ciphertext"};
  return {
      {.name = "transit encrypt",
       .synopsis = "KEY [- | @FILE]",
       .help = "encrypt standard input or a file",
       .examples = "coffer transit encrypt orders < invoice.pdf > invoice.sealed\n"
                   "coffer transit encrypt -in=invoice.pdf -out=invoice.sealed orders\n"
                   "coffer transit encrypt -associated-data=row-7 orders @field",
       .flags = {kMountFlag, data, kContextFlag, kVersionFlag, kInFlag, kOutFlag},
       .shows = Shows::kFields,
       .least = 1,
       .most = 2,
       .run = Encrypt},
      {.name = "transit decrypt",
       .synopsis = "KEY [CIPHERTEXT | - | @FILE]",
       .help = "decrypt to standard output or a file",
       .examples = "coffer transit decrypt orders < invoice.sealed > invoice.pdf\n"
                   "coffer transit decrypt -in=invoice.sealed -out=invoice.pdf orders",
       .flags = {kMountFlag, data, kContextFlag, kInFlag, kOutFlag},
       .shows = Shows::kFields,
       .least = 1,
       .most = 2,
       .run = Decrypt},
      {.name = "transit rewrap",
       .synopsis = "KEY [CIPHERTEXT | - | @FILE]",
       .help = "encrypt anew under the latest version",
       .examples = "coffer transit rewrap -in=invoice.sealed -out=invoice.sealed orders",
       .flags = {kMountFlag, data, kContextFlag, kVersionFlag, kInFlag, kOutFlag},
       .shows = Shows::kFields,
       .least = 1,
       .most = 2,
       .run = Rewrap},
      {.name = "transit datakey",
       .synopsis = "[-type=wrapped|plaintext] [-bits=256] KEY",
       .help = "make a key for use elsewhere, encrypted under KEY",
       .examples = "coffer transit datakey orders\n"
                   "coffer transit datakey -type=plaintext -out=data.key orders > data.key.sealed\n"
                   "coffer transit datakey -type=plaintext -format=json orders",
       .flags = {kMountFlag,
                 {"type", Kind::kText, "wrapped (default), or plaintext as well"},
                 {"bits", Kind::kNumber, "128, 256 (default) or 512"},
                 kContextFlag,
                 kVersionFlag,
                 {"out", Kind::kText,
                  "write this file, mode 0600: the wrapped key, or a plaintext key's bytes"}},
       .shows = Shows::kFields,
       .least = 1,
       .most = 1,
       .run = Datakey}};
}

std::vector<Command> Signatures() {
  const Flag algorithm{"algorithm", Kind::kText, "sha2-256 (default), sha2-512, ..."};
  std::vector<Flag> verifying = SigningFlags();
  verifying.insert(verifying.end(), {{"signature", Kind::kText, "the signature to check"},
                                     {"hmac", Kind::kText, "the HMAC to check"},
                                     algorithm});
  std::erase_if(verifying, [](const Flag& flag) { return flag.name == "out"; });
  return {
      {.name = "transit sign",
       .synopsis = "KEY [- | @FILE]",
       .help = "sign standard input or a file",
       .examples = "coffer transit sign release @coffer.tar.gz",
       .flags = SigningFlags(),
       .shows = Shows::kFields,
       .least = 1,
       .most = 2,
       .run = Sign},
      {.name = "transit verify",
       .synopsis = "-signature=SIGNATURE | -hmac=HMAC  KEY [- | @FILE]",
       .help = "check a signature or an HMAC: exit code 0 where it is valid, else 2",
       .examples = "coffer transit verify -signature=\"$(cat coffer.sig)\" release @coffer.tar.gz",
       .flags = verifying,
       .shows = Shows::kFields,
       .least = 1,
       .most = 2,
       .run = Verify},
      {.name = "transit hmac",
       .synopsis = "[-algorithm=sha2-256] KEY [- | @FILE]",
       .help = "the HMAC of standard input or a file",
       .examples = "coffer transit hmac orders @invoice.pdf",
       .flags = {kMountFlag, kInFlag, kOutFlag, kVersionFlag, algorithm},
       .shows = Shows::kFields,
       .least = 1,
       .most = 2,
       .run = Hmac}};
}

}  // namespace

std::vector<Command> TransitCommands() {
  std::vector<Command> commands = Ciphers();
  for (Command& command : Signatures()) commands.push_back(std::move(command));
  return commands;
}

}  // namespace coffer::cli
