// coffer transit: what becomes of keys, and those that were made elsewhere.

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/key_values.h"
#include "cli/transit_values.h"
#include "coffer/base/base64.h"
#include "coffer/crypto/key_transport.h"
#include "coffer/crypto/system_random.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using Kind = Flag::Kind;

int Rotate(Invocation& call) {
  return Exchange(call, {"POST", TransitPath(call, "keys") + "/rotate", "{}", "Error rotating"},
                  "Success!");
}

int KeysList(Invocation& call) { return ExchangeList(call, TransitMount(call) + "/keys", ""); }

int KeysCreate(Invocation& call) {
  json body{{"type", call.Get("type", "aes256-gcm96")}};
  if (call.Has("derived")) body["derived"] = true;
  return Exchange(call, {"POST", TransitPath(call, "keys"), body.dump(), "Error creating the key"},
                  "Success!");
}

int KeysRead(Invocation& call) { return ExchangeRead(call, TransitPath(call, "keys"), ""); }

int KeysConfig(Invocation& call) {
  const auto body = BodyOf(call.words, 1);
  if (!body) return Complain(body.error().message, kLocalFailure);
  return Exchange(
      call, {"POST", TransitPath(call, "keys") + "/config", *body, "Error configuring the key"},
      "Success!");
}

int KeysDelete(Invocation& call) {
  return Exchange(call, {"DELETE", TransitPath(call, "keys"), "", "Error deleting the key"},
                  "Success! Deleted key: " + call.words.front());
}

// A key's file: what the server is sent of it.
struct Material {
  SecretBytes key;  // PKCS#8 of an asymmetric key, else the key's own bytes
  bool asymmetric = false;
  std::string public_pem;  // where the file has no more
};

// The bytes that a text in base64 stands for; nothing where it is none.
std::optional<SecretBytes> FromBase64(const SecretBytes& file) {
  const std::string_view text = Trimmed(AsText(file.Reveal()));
  auto key = Base64Decode(text);
  if (!key || key->empty()) return std::nullopt;
  return SecretBytes(std::move(*key));
}

Result<Material> MaterialOf(SecretBytes file, bool raw) {
  Material material;
  if (file.empty()) return Fail(Code::kInvalid, "the key file is empty");
  if (raw) {
    material.key = std::move(file);
    return material;
  }
  if (AsText(file.Reveal()).find("-----BEGIN PUBLIC KEY-----") != std::string_view::npos) {
    material.public_pem = AsText(file.Reveal());
    return material;
  }
  auto decoded = FromBase64(file);
  SecretBytes& content = decoded ? *decoded : file;
  auto pkcs8 = crypto::PrivateKeyAsPkcs8(content);
  if (!pkcs8 && pkcs8.error().code != Code::kNotFound) return Fail(pkcs8.error());
  if (!pkcs8 && AsText(content.Reveal()).find("-----BEGIN ") != std::string_view::npos) {
    return Fail(Code::kInvalid, "the file is PEM, and has no key that can be read");
  }
  material.asymmetric = pkcs8.has_value();
  material.key = pkcs8 ? *std::move(pkcs8) : std::move(content);
  return material;
}

Result<Material> ReadMaterial(const Invocation& call) {
  COFFER_ASSIGN(std::string content, SecretInput(call, "a key"));
  SecretBytes file = SecretBytes::CopyOf(AsBytes(content));
  SecureWipe(content.data(), content.size());
  return MaterialOf(std::move(file), call.Has("raw"));
}

// "MOUNT/keys/NAME", as Vault's command has it, or NAME alone.
Result<std::string> KeyPath(const Invocation& call) {
  const std::string word = PathOf(call.words.front());
  const std::size_t keys = word.rfind("/keys/");
  const std::string name = keys == std::string::npos ? word : word.substr(keys + 6);
  const std::string mount = keys == std::string::npos ? TransitMount(call) : word.substr(0, keys);
  if (name.empty() || name.find('/') != std::string::npos || mount.empty()) {
    return Fail(Code::kInvalid, "expected a path of the form MOUNT/keys/NAME, not " + word);
  }
  return mount + "/keys/" + name;
}

constexpr std::pair<std::string_view, crypto::HashAlgorithm> kHashes[] = {
    {"SHA256", crypto::HashAlgorithm::kSha256},
    {"SHA1", crypto::HashAlgorithm::kSha1},
    {"SHA224", crypto::HashAlgorithm::kSha224},
    {"SHA384", crypto::HashAlgorithm::kSha384},
    {"SHA512", crypto::HashAlgorithm::kSha512}};

// The hash that is asked for, or the first of ours that the server's token unwraps with.
std::string HashName(const json& wanted, const json& wrapping) {
  if (wanted.contains("hash_function")) return CellOf(wanted["hash_function"]);
  const json offered = wrapping.value("supported_hash_functions", json::array());
  for (const auto& [name, hash] : kHashes) {
    if (offered.empty() || std::ranges::count(offered, json(name)) > 0) return std::string(name);
  }
  return "";
}

Result<std::string> Ciphertext(const SecretBytes& key, const std::string& hash,
                               const json& wrapping) {
  const auto* const known =
      std::ranges::find(kHashes, hash, &std::pair<std::string_view, crypto::HashAlgorithm>::first);
  if (known == std::end(kHashes)) return Fail(Code::kInvalid, "unknown hash function: " + hash);
  COFFER_ASSIGN(const auto wrapping_key,
                crypto::PublicKey::FromPem(wrapping.value("public_key", "")));
  crypto::SystemRandom random;
  COFFER_ASSIGN(const Bytes wrapped,
                crypto::WrapForImport(*wrapping_key, known->second, key, random));
  return Base64Encode(wrapped);
}

// Adds the key to `body`, wrapped for the server. The exit code where that fails.
std::optional<int> AddKey(const Invocation& call, const std::string& path, const Material& material,
                          json& body) {
  if (!material.public_pem.empty()) {
    body["public_key"] = material.public_pem;
    return std::nullopt;
  }
  int code = kDone;
  const std::string mount = path.substr(0, path.rfind("/keys/"));
  const auto answer =
      Ask(call, {"GET", mount + "/wrapping_key", "", "Error reading the wrapping key"}, code);
  if (!answer) return code;
  const json wrapping = json::parse(answer->body).at("data");
  const std::string hash = HashName(body, wrapping);
  const auto ciphertext = Ciphertext(material.key, hash, wrapping);
  if (!ciphertext) return Complain(ciphertext.error().message, kLocalFailure);
  body["hash_function"] = hash;
  body["ciphertext"] = *ciphertext;
  return std::nullopt;
}

int ImportBy(Invocation& call, const std::string& operation) {
  const auto path = KeyPath(call);
  if (!path) return Complain(path.error().message, kLocalFailure);
  const auto parameters = BodyOf(call.words, 2);
  if (!parameters) return Complain(parameters.error().message, kLocalFailure);
  const auto material = ReadMaterial(call);
  if (!material) return Complain(material.error().message, kLocalFailure);
  json body = json::parse(*parameters);
  const bool typed = body.contains("type") || operation == "import_version";
  if (!typed && (material->asymmetric || !material->public_pem.empty())) {
    return Complain("the file has an asymmetric key: say its type, type=rsa-2048 for example",
                    kLocalFailure);
  }
  if (const auto failed = AddKey(call, *path, *material, body)) return *failed;
  return Exchange(call, {"POST", *path + "/" + operation, body.dump(), "Error importing the key"},
                  "Success! Imported the key at: " + *path);
}

int Import(Invocation& call) { return ImportBy(call, "import"); }
int ImportVersion(Invocation& call) { return ImportBy(call, "import_version"); }

std::vector<Command> Imports() {
  const std::vector<Flag> flags{
      kMountFlag, {"raw", Kind::kSwitch, "the file's bytes are the key, whatever they look like"}};
  return {
      {.name = "transit import",
       .synopsis = "MOUNT/keys/NAME | NAME  - | @FILE [type=TYPE] [NAME=VALUE ...]",
       .help = "make a key of one that was made elsewhere, wrapped here for the server's token; "
               "the file is PEM, DER, raw, or any of these in base64",
       .examples = "coffer transit import transit/keys/orders @aes.key type=aes256-gcm96\n"
                   "coffer transit import transit/keys/release @key.pem type=rsa-3072 "
                   "allow_rotation=true",
       .flags = flags,
       .least = 2,
       .most = kAnyNumber,
       .run = Import},
      {.name = "transit import-version",
       .synopsis = "MOUNT/keys/NAME | NAME  - | @FILE [NAME=VALUE ...]",
       .help = "make a further version of an imported key",
       .examples = "coffer transit import-version transit/keys/orders @aes.key",
       .flags = flags,
       .least = 2,
       .most = kAnyNumber,
       .run = ImportVersion}};
}

}  // namespace

std::vector<Command> TransitKeyCommands() {
  const auto about = [](std::string_view name, std::string_view synopsis, std::string_view help,
                        std::string_view examples, int (*run)(Invocation&)) {
    return Command{.name = name,
                   .synopsis = synopsis,
                   .help = help,
                   .examples = examples,
                   .flags = {kMountFlag},
                   .shows = Shows::kFields,
                   .least = 1,
                   .most = 1,
                   .run = run};
  };
  std::vector<Command> commands{
      about("transit rotate", "KEY", "make the key's next version", "coffer transit rotate orders",
            Rotate),
      {.name = "transit keys list",
       .help = "the keys",
       .examples = "coffer transit keys list",
       .flags = {kMountFlag},
       .shows = Shows::kFormats,
       .run = KeysList},
      about("transit keys create", "[-type=TYPE] KEY", "make a key",
            "coffer transit keys create -type=rsa-3072 release", KeysCreate),
      about("transit keys read", "KEY", "what a key is", "coffer transit keys read orders",
            KeysRead),
      about("transit keys config", "KEY NAME=VALUE ...", "change a key's settings",
            "coffer transit keys config orders min_decryption_version=2", KeysConfig),
      about("transit keys delete", "KEY", "destroy a key", "coffer transit keys delete orders",
            KeysDelete)};
  commands[2].flags.push_back({"type", Kind::kText, "the key's type (default: aes256-gcm96)"});
  commands[2].flags.push_back({"derived", Kind::kSwitch, "every use needs a context"});
  commands[4].least = 2;
  commands[4].most = kAnyNumber;
  for (Command& command : Imports()) commands.push_back(std::move(command));
  return commands;
}

}  // namespace coffer::cli
