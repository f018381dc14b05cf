// Transit answers as Vault does, case by case.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/service_fixture.h"

namespace coffer::api {
namespace {

class TransitWire : public ServiceTest {
 protected:
  static std::string Said(const http::Response& answer) {
    return answer.status == 400 ? ErrorOf(answer) : std::to_string(answer.status);
  }
  static json WarningsOf(const http::Response& answer) {
    return json::parse(answer.body)["warnings"];
  }
  // A key with two versions, of which the first is below the minimum for decryption.
  void KeyWithAnOldVersion(const std::string& name, const std::string& type) {
    Post("transit/keys/" + name, {{"type", type}});
    Post("transit/keys/" + name + "/rotate");
    EXPECT_EQ(Post("transit/keys/" + name + "/config", {{"min_decryption_version", 2}}).status,
              200);
  }
};

TEST_F(TransitWire, MakesNothingBelowTheMinimumDecryptionVersion) {
  for (const std::string type : {"aes256-gcm96", "rsa-2048"}) {
    KeyWithAnOldVersion(type, type);
    const std::string sealed = Seal(type, "x");
    const json old = {{"plaintext", ""}, {"ciphertext", sealed}, {"input", ""}, {"key_version", 1}};
    for (const std::string operation :
         {"encrypt/", "rewrap/", "datakey/plaintext/", "datakey/wrapped/", "hmac/"}) {
      EXPECT_EQ(Said(Post("transit/" + operation + type, old)), "no such key version")
          << operation << type;
    }
    const json batch = {{"batch_input", json::array({old})}};
    for (const std::string operation : {"encrypt/", "rewrap/"}) {
      EXPECT_EQ(DataOf(Post("transit/" + operation + type, batch))["batch_results"][0]["error"],
                "no such key version");
    }
  }
  for (const std::string type : {"rsa-2048", "ecdsa-p256", "ed25519"}) {
    KeyWithAnOldVersion("s-" + type, type);
    const json old = {{"input", ""}, {"key_version", 1}, {"version", 1}};
    EXPECT_EQ(Said(Post("transit/sign/s-" + type, old)), "no such key version");
    EXPECT_EQ(Said(Post("transit/keys/s-" + type + "/csr", old)),
              "could not create the csr: no such key version");
  }
  KeyWithAnOldVersion("c", "aes256-cmac");
  EXPECT_EQ(Said(Post("transit/cmac/c", {{"input", ""}, {"key_version", 1}})),
            "no such key version");
}

TEST_F(TransitWire, ACertificateRequestHeedsTheMinimumForDecryptionOnly) {
  Post("transit/keys/e", {{"type", "ecdsa-p256"}});
  Post("transit/keys/e/rotate");
  Post("transit/keys/e/config", {{"min_encryption_version", 2}});
  EXPECT_EQ(Said(Post("transit/keys/e/csr", {{"version", 1}})), "200");
  EXPECT_EQ(Said(Post("transit/sign/e", {{"input", ""}, {"key_version", 1}})),
            "requested version for signing is less than the minimum encryption key version");
}

TEST_F(TransitWire, RandomTakesAnEmptySourceAndThePathsOwn) {
  EXPECT_EQ(Said(Post("transit/random", {{"source", ""}})), "200");
  const auto both = Post("transit/random/8", {{"source", "nonsense"}, {"format", "hex"}});
  ASSERT_EQ(Said(both), "200");
  EXPECT_EQ(DataOf(both)["random_bytes"].get<std::string>().size(), 16U);
  EXPECT_EQ(WarningsOf(both),
            json::array({"Endpoint replaced the value of these parameters with the values captured "
                         "from the endpoint's path: [source]"}));
  EXPECT_EQ(Said(Post("transit/random/seal/8", {{"source", "nonsense"}})), "200");
}

TEST_F(TransitWire, ExportsPublicKeysInTheReferencesForms) {
  Post("transit/keys/ed", {{"type", "ed25519"}});
  Post("transit/keys/ec", {{"type", "ecdsa-p384"}});
  Post("transit/keys/rsa", {{"type", "rsa-2048"}});
  const auto exported = [&](const std::string& key, const std::string& format) {
    const auto answer = Get("transit/export/public-key/" + key + "?format=" + format);
    return answer.status == 200 ? DataOf(answer)["keys"]["1"].get<std::string>() : Said(answer);
  };
  const std::string raw = DataOf(Get("transit/keys/ed"))["keys"]["1"]["public_key"];
  EXPECT_EQ(exported("ed", ""), raw);
  EXPECT_EQ(exported("ed", "raw"), raw);
  EXPECT_EQ(Base64Decode(raw)->size(), 32U);
  const std::string kEnd = "-----END PUBLIC KEY-----";
  for (const std::string key : {"ed", "ec"}) {
    EXPECT_TRUE(exported(key, "pem").starts_with("-----BEGIN PUBLIC KEY-----\n")) << key;
    EXPECT_TRUE(exported(key, "pem").ends_with(kEnd)) << key;
  }
  EXPECT_EQ(exported("ec", ""), exported("ec", "pem"));
  EXPECT_TRUE(exported("rsa", "").ends_with(kEnd + "\n"));
  EXPECT_EQ(exported("rsa", ""), exported("rsa", "pem"));
  EXPECT_TRUE(Base64Decode(exported("rsa", "der")));
  EXPECT_EQ(exported("rsa", "raw"),
            "unknown key format for rsa key; supported values are ``, `der`, or `pem`");
  EXPECT_EQ(exported("ec", "raw"),
            "unknown key format for ec key; supported values are ``, `der`, or `pem`");
}

TEST_F(TransitWire, SaysWhyAKeyIsNotExported) {
  Post("transit/keys/aes");
  Post("transit/keys/ed", {{"type", "ed25519"}});
  const auto why = [&](const std::string& path) { return Said(Get("transit/export/" + path)); };
  EXPECT_EQ(why("encryption-key/ed"), "encryption not supported for the key");
  EXPECT_EQ(why("signing-key/aes"), "signing not supported for the key");
  EXPECT_EQ(why("encryption-key/aes"), "private key material is not exportable");
  EXPECT_EQ(why("signing-key/ed"), "private key material is not exportable");
  EXPECT_EQ(why("hmac-key/aes"), "private key material is not exportable");
  EXPECT_EQ(why("public-key/aes"), "unknown key type aes256-gcm96 for export type public-key");
  EXPECT_EQ(why("certificate-chain/aes"),
            "certificate chain not supported for keys that do not support signing");
  Send(http::Method::kDelete, "transit/keys/ed/soft-delete");
  EXPECT_EQ(why("public-key/ed"), "refusing to use soft-deleted key");
}

TEST_F(TransitWire, KeyNamesAreNoPathsAndHaveALimit) {
  EXPECT_EQ(Said(Post("transit/restore/a/b", {{"backup", "AAAA"}})), "key names cannot be paths");
  const std::string longest(256, 'k');
  EXPECT_EQ(Said(Post("transit/keys/" + longest)), "200");
  const std::string longer(300, 'k');
  for (const std::string path : {"keys/", "encrypt/", "sign/"}) {
    EXPECT_EQ(Said(Post("transit/" + path + longer, {{"plaintext", ""}})),
              "invalid key name: it has 300 bytes, and the limit is 256");
  }
  EXPECT_EQ(Said(Get("transit/keys/" + longer)),
            "invalid key name: it has 300 bytes, and the limit is 256");
}

TEST_F(TransitWire, ARewrapsItemWithoutCiphertextHasItsOwnError) {
  const std::string sealed = Seal("k", "x");
  const json batch = {{"batch_input", {{{"reference", "bad"}}, {{"ciphertext", sealed}}}}};
  const auto answer = Post("transit/rewrap/k", batch);
  EXPECT_EQ(answer.status, 200);
  const json results = DataOf(answer)["batch_results"];
  EXPECT_EQ(results[0]["error"], "missing ciphertext to decrypt");
  EXPECT_EQ(results[0]["reference"], "bad");
  EXPECT_TRUE(results[1].contains("ciphertext"));
  EXPECT_TRUE(Said(Post("transit/decrypt/k", batch)).starts_with("failed to parse batch input: "));
}

TEST_F(TransitWire, AContextIsReadAndWarnedOfThoughTheKeyIsNotDerived) {
  const std::string sealed = Seal("k", "x");
  Post("transit/keys/e", {{"type", "ecdsa-p256"}});
  const std::string signature = DataOf(Post("transit/sign/e", {{"input", ""}}))["signature"];
  const struct {
    const char* path;
    json body;
    const char* refusal;
  } kCases[] = {
      {"encrypt/k", {{"plaintext", ""}}, "illegal base64 data at input byte 0"},
      {"decrypt/k", {{"ciphertext", sealed}}, "illegal base64 data at input byte 0"},
      {"rewrap/k", {{"ciphertext", sealed}}, "illegal base64 data at input byte 0"},
      {"datakey/wrapped/k", json::object(), "failed to base64-decode context"},
      {"sign/e", {{"input", ""}}, "failed to base64-decode context"},
      {"verify/e", {{"input", ""}, {"signature", signature}}, "failed to base64-decode context"},
  };
  const json warning = json::array({"context was ignored: the key is not derived"});
  for (const auto& item : kCases) {
    const std::string path = std::string("transit/") + item.path;
    json body = item.body;
    EXPECT_EQ(WarningsOf(Post(path, body)), nullptr) << path;
    body["context"] = "!";
    EXPECT_EQ(Said(Post(path, body)), item.refusal) << path;
    body["context"] = "YQ==";
    EXPECT_EQ(WarningsOf(Post(path, body)), warning) << path;
    if (path.find("datakey") != std::string::npos) continue;
    EXPECT_EQ(WarningsOf(Post(path, {{"batch_input", json::array({body})}})), warning) << path;
  }
  Post("transit/keys/d", {{"derived", true}});
  EXPECT_EQ(WarningsOf(Post("transit/encrypt/d", {{"plaintext", ""}, {"context", "YQ=="}})),
            nullptr);
}

TEST_F(TransitWire, WarnsOfMisspeltFieldsInItems) {
  const std::string sealed = Seal("k", "x");
  const std::string kBegin =
      "Endpoint ignored these unrecognized parameters in items of batch_input: ";
  const json items = {{{"plaintext", ""}, {"asociated_data", "YQ=="}},
                      {{"plaintext", ""}, {"asociated_data", "YQ=="}, {"contxt", ""}}};
  EXPECT_EQ(WarningsOf(Post("transit/encrypt/k", {{"batch_input", items}})),
            json::array({kBegin + "[asociated_data contxt]"}));
  const struct {
    const char* path;
    json item;
  } kCases[] = {{"decrypt", {{"ciphertext", sealed}}},
                {"rewrap", {{"ciphertext", sealed}}},
                {"inspect", {{"ciphertext", sealed}}},
                {"hmac", {{"input", ""}}},
                {"verify", {{"input", ""}, {"hmac", "vault:v1:AAAA"}}}};
  for (const auto& one : kCases) {
    json item = one.item;
    const std::string path = std::string("transit/") + one.path + "/k";
    EXPECT_EQ(WarningsOf(Post(path, {{"batch_input", json::array({item})}})), nullptr) << path;
    item["key_versoin"] = 1;
    EXPECT_EQ(WarningsOf(Post(path, {{"batch_input", json::array({item})}})),
              json::array({kBegin + "[key_versoin]"}))
        << path;
  }
  json many = {{"plaintext", ""}, {std::string(65, 'n'), 1}};
  const std::string cut = std::string(64, 'n') + "...";
  EXPECT_EQ(WarningsOf(Post("transit/encrypt/k", {{"batch_input", json::array({many})}})),
            json::array({kBegin + "[" + cut + "]"}));
  for (char c = 'a'; c <= 'p'; ++c) many[std::string(2, c)] = 1;
  const json bounded =
      WarningsOf(Post("transit/encrypt/k", {{"batch_input", json::array({many})}}));
  EXPECT_EQ(bounded[0], kBegin + "[aa bb cc dd ee ff gg hh ii jj kk ll mm nn " + cut + " oo ...]");
}

TEST_F(TransitWire, ANullTextIsAnEmptyOne) {
  Post("transit/keys/k");
  const auto sealed = Post("transit/encrypt/k", {{"plaintext", nullptr}});
  ASSERT_EQ(Said(sealed), "200");
  EXPECT_EQ(DataOf(Post("transit/decrypt/k",
                        {{"ciphertext", DataOf(sealed)["ciphertext"]}}))["plaintext"],
            "");
  EXPECT_EQ(Said(Post("transit/encrypt/k")), "missing plaintext to encrypt");
  EXPECT_EQ(Said(Post("transit/decrypt/k", {{"ciphertext", nullptr}})),
            "missing ciphertext to decrypt");
  EXPECT_EQ(Said(Post("transit/hmac/k", {{"input", nullptr}})), "200");
  EXPECT_EQ(Said(Post("transit/hash", {{"input", nullptr}})), "200");
}

TEST_F(TransitWire, VersionZeroIsTooOldForSignaturesAndMacs) {
  Post("transit/keys/e", {{"type", "ecdsa-p256"}});
  std::string signature = DataOf(Post("transit/sign/e", {{"input", ""}}))["signature"];
  signature.replace(signature.find("v1"), 2, "v0");
  EXPECT_EQ(Said(Post("transit/verify/e", {{"input", ""}, {"signature", signature}})),
            "ciphertext or signature version is disallowed by policy (too old)");
  EXPECT_EQ(Said(Post("transit/verify/e", {{"input", ""}, {"hmac", "vault:v0:AAAA"}})),
            "cannot verify HMAC: version is too old (disallowed by policy)");
}

TEST_F(TransitWire, HashAlgorithmNoneNeedsBothOfItsConditionsForEveryType) {
  const std::string refusal =
      "hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15";
  const std::string digest = Base64Encode(Bytes(32, 7));
  for (const std::string type : {"ecdsa-p256", "ed25519", "rsa-2048"}) {
    Post("transit/keys/" + type, {{"type", type}});
    json body = {{"input", digest}, {"hash_algorithm", "none"}};
    EXPECT_EQ(Said(Post("transit/sign/" + type, body)), refusal) << type;
    body["prehashed"] = true;
    EXPECT_EQ(Said(Post("transit/sign/" + type, body)), refusal) << type;
    body["signature_algorithm"] = "pkcs1v15";
    const auto made = Post("transit/sign/" + type, body);
    ASSERT_EQ(Said(made), "200") << type;
    body["signature"] = DataOf(made)["signature"];
    EXPECT_EQ(DataOf(Post("transit/verify/" + type, body))["valid"], true) << type;
  }
  // With no hash named, the same digest verifies as one that was made elsewhere.
  json body = {{"input", digest},
               {"hash_algorithm", "none"},
               {"prehashed", true},
               {"signature_algorithm", "pkcs1v15"}};
  body["signature"] = DataOf(Post("transit/sign/ecdsa-p256", body))["signature"];
  body["hash_algorithm"] = "sha2-256";
  EXPECT_EQ(DataOf(Post("transit/verify/ecdsa-p256", body))["valid"], true);
}

TEST_F(TransitWire, AConvergentKeysDocumentHasTheReferencesNumber) {
  Post("transit/keys/c", {{"derived", true}, {"convergent_encryption", true}});
  EXPECT_EQ(DataOf(Get("transit/keys/c"))["convergent_encryption_version"], -1);
}

TEST_F(TransitWire, ReadsDeeplyNestedInputThatItIgnores) {
  Post("transit/keys/k");
  const std::string deep = std::string(490, '[') + std::string(490, ']');
  EXPECT_EQ(Said(Send(http::Method::kPost, "transit/encrypt/k",
                      R"({"plaintext":"","extra":)" + deep + "}")),
            "200");
}

}  // namespace
}  // namespace coffer::api
