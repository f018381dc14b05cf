// Every key type with every operation and option: each cell works, or answers 400 with one of the
// documented texts. What a type can do is written down here a second time, as the documentation has
// it, and not taken from the table under test.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "api/service_fixture.h"

namespace coffer::api {
namespace {

struct TypeRow {
  const char* type;
  bool encrypts;
  bool signs;
  bool aead;
  bool cmac;
  const char* kind;  // "aes", "rsa", "ecdsa", "ed25519", "hmac", "cmac"
  int bits;
  json create = json::object();
};

const std::vector<TypeRow>& Types() {
  static const std::vector<TypeRow> types{
      {"aes128-gcm96", true, false, true, false, "aes", 128},
      {"aes256-gcm96", true, false, true, false, "aes", 256},
      {"aes128-gcm96", true, false, true, false, "aes", 128, {{"derived", true}}},
      {"aes256-gcm96", true, false, true, false, "aes", 256, {{"derived", true}}},
      {"aes256-gcm96",
       true,
       false,
       true,
       false,
       "aes",
       256,
       {{"derived", true}, {"convergent_encryption", true}}},
      {"rsa-2048", true, true, false, false, "rsa", 2048},
      {"rsa-3072", true, true, false, false, "rsa", 3072},
      {"rsa-4096", true, true, false, false, "rsa", 4096},
      {"ecdsa-p256", false, true, false, false, "ecdsa", 256},
      {"ecdsa-p384", false, true, false, false, "ecdsa", 384},
      {"ecdsa-p521", false, true, false, false, "ecdsa", 521},
      {"ed25519", false, true, false, false, "ed25519", 256},
      {"hmac", false, false, false, false, "hmac", 0},
      {"hmac", false, false, false, false, "hmac", 0, {{"key_size", 32}}},
      {"hmac", false, false, false, false, "hmac", 0, {{"key_size", 512}}},
      {"aes128-cmac", false, false, false, true, "cmac", 128},
      {"aes192-cmac", false, false, false, true, "cmac", 192},
      {"aes256-cmac", false, false, false, true, "cmac", 256},
  };
  return types;
}

const std::vector<std::string> kHashes{"sha1",     "sha2-224", "sha2-256", "sha2-384", "sha2-512",
                                       "sha3-224", "sha3-256", "sha3-384", "sha3-512", "none"};

int DigestOctets(const std::string& hash) {
  if (hash == "sha1") return 20;
  return hash == "none" ? 32 : std::stoi(hash.substr(5)) / 8;
}

class TransitMatrix : public ServiceTest {
 protected:
  // Tries one cell: expects 200 if `works`, else 400 with a text.
  http::Response Cell(bool works, const std::string& path, const json& body) {
    ++cells_;
    http::Response answer = Post(path, body);
    const std::string what = path + " " + body.dump() + " -> " + answer.body;
    EXPECT_EQ(answer.status, works ? 200 : 400) << what;
    if (answer.status == 400) {
      EXPECT_FALSE(ErrorOf(answer).empty()) << what;
      texts_.insert(ErrorOf(answer));
    }
    return answer;
  }
  void Encryption(const TypeRow& row, const std::string& key);
  void Signing(const TypeRow& row, const std::string& key);
  void SignCell(const TypeRow& row, const std::string& key, json body, const std::string& hash);
  void Macs(const TypeRow& row, const std::string& key);
  void HashForms(const TypeRow& row, const std::string& key);
  json BatchCell(bool works, const std::string& path, const TypeRow& row, json items);
  void Batches(const TypeRow& row, const std::string& key);
  void OldVersions(const TypeRow& row, const std::string& key);
  void Lifecycle(const TypeRow& row, const std::string& key);

  int cells_ = 0;
  std::set<std::string> texts_;
};

void TransitMatrix::Encryption(const TypeRow& row, const std::string& key) {
  const bool derived = row.create.contains("derived");
  for (const bool context : {false, true}) {
    for (const bool aad : {false, true}) {
      for (const std::string size : {"", "aGVsbG8="}) {
        json body = {{"plaintext", size}};
        if (context) body["context"] = "Y29udGV4dA==";
        if (aad) body["associated_data"] = "YWFk";
        const bool works = row.encrypts && (row.aead || !aad) && (context || !derived);
        const auto sealed = Cell(works, "transit/encrypt/" + key, body);
        json back = body;
        back.erase("plaintext");
        back["ciphertext"] = works ? DataOf(sealed)["ciphertext"] : json("vault:v1:AAAA");
        const auto opened = Cell(works, "transit/decrypt/" + key, back);
        if (works) {
          EXPECT_EQ(DataOf(opened)["plaintext"], size);
        }
        Cell(works, "transit/rewrap/" + key, back);
        json data_key = body;
        data_key.erase("plaintext");
        for (const std::string kind : {"plaintext", "wrapped"}) {
          for (const int bits : {128, 256, 512, 100}) {
            data_key["bits"] = bits;
            Cell(works && bits != 100, "transit/datakey/" + kind + "/" + key, data_key);
          }
        }
        json inspect = back;
        Cell(works, "transit/inspect/" + key, inspect);
        if (!works) continue;
        back["padding_scheme"] = "pkcs1v15";
        Cell(false, "transit/decrypt/" + key, back);
      }
    }
  }
  Cell(false, "transit/encrypt/" + key, {{"plaintext", ""}, {"nonce", "AAAA"}});
  Cell(false, "transit/encrypt/" + key, {{"plaintext", "!"}});
  Cell(false, "transit/encrypt/" + key, {{"plaintext", ""}, {"key_version", 9}});
}

void TransitMatrix::SignCell(const TypeRow& row, const std::string& key, json body,
                             const std::string& hash) {
  const std::string kind = row.kind;
  const bool prehashed = body["prehashed"];
  const bool pkcs1 = body.value("signature_algorithm", "") == "pkcs1v15";
  const std::string salt = body.value("salt_length", "auto");
  bool works = row.signs;
  if (hash == "none") works = works && prehashed && pkcs1;
  if (kind != "ed25519") {
    const bool number = salt != "auto" && salt != "hash";
    if (kind == "rsa" && !pkcs1 && number) {
      const int octets = salt == "x" ? -9 : std::stoi(salt);
      works = works && octets >= -1 && octets <= row.bits / 8 - 2 - DigestOctets(hash);
    }
  }
  if (salt == "x") works = false;
  const std::string input(static_cast<std::size_t>(prehashed ? DigestOctets(hash) : 5), 'm');
  body["input"] = Base64Encode(AsBytes(input));
  const auto made = Cell(works, "transit/sign/" + key + "/" + hash, body);
  body["signature"] = works ? DataOf(made)["signature"] : json("vault:v1:AAAA");
  const auto verified = Cell(works, "transit/verify/" + key + "/" + hash, body);
  if (!works) return;
  EXPECT_EQ(DataOf(verified)["valid"], true) << body.dump();
  body["input"] = Base64Encode(AsBytes(std::string(input.size(), 'n')));
  EXPECT_EQ(DataOf(Post("transit/verify/" + key + "/" + hash, body))["valid"], false)
      << body.dump();
}

void TransitMatrix::Signing(const TypeRow& row, const std::string& key) {
  for (const std::string& hash : kHashes) {
    for (const bool prehashed : {false, true}) {
      for (const std::string padding : {"", "pss", "pkcs1v15"}) {
        for (const std::string marshaling : {"asn1", "jws"}) {
          for (const std::string salt : {"auto", "hash", "20", "9999", "-5", "x"}) {
            // Only PSS has salts; the other paddings are tried with one value.
            if (padding == "pkcs1v15" && salt != "auto") continue;
            json body = {{"prehashed", prehashed},
                         {"marshaling_algorithm", marshaling},
                         {"salt_length", salt}};
            if (!padding.empty()) body["signature_algorithm"] = padding;
            SignCell(row, key, body, hash);
          }
        }
      }
    }
  }
  Cell(false, "transit/sign/" + key, {{"input", ""}, {"hash_algorithm", "md5"}});
  Cell(false, "transit/sign/" + key, {{"input", ""}, {"marshaling_algorithm", "xml"}});
  Cell(false, "transit/sign/" + key, {{"input", ""}, {"signature_algorithm", "dsa"}});
  Cell(false, "transit/sign/" + key, {{"input", "!"}});
  Cell(false, "transit/sign/" + key, {{"input", ""}, {"key_version", 9}});
}

void TransitMatrix::Macs(const TypeRow& row, const std::string& key) {
  for (const std::string& hash : kHashes) {
    const bool fits = row.create.value("key_size", 64) >= DigestOctets(hash);
    const bool works = (hash.starts_with("sha1") || hash.starts_with("sha2")) && fits;
    const auto made = Cell(works, "transit/hmac/" + key + "/" + hash, {{"input", "aGk="}});
    const json proof = works ? DataOf(made)["hmac"] : json("vault:v1:AAAA");
    json body = {{"input", "aGk="}, {"hmac", proof}};
    const auto verified = Cell(works, "transit/verify/" + key + "/" + hash, body);
    if (!works) continue;
    EXPECT_EQ(DataOf(verified)["valid"], true);
    body["input"] = "aGo=";
    EXPECT_EQ(DataOf(Post("transit/verify/" + key + "/" + hash, body))["valid"], false);
  }
  for (const std::string length : {"", "/8", "/16", "/7", "/17", "/x"}) {
    const bool works = row.cmac && (length.empty() || length == "/8" || length == "/16");
    const auto made = Cell(works, "transit/cmac/" + key + length, {{"input", "aGk="}});
    if (!works) continue;
    json body = {{"input", "aGk="}, {"cmac", DataOf(made)["cmac"]}};
    if (!length.empty()) body["mac_length"] = length.substr(1);
    EXPECT_EQ(DataOf(Post("transit/verify/" + key, body))["valid"], true) << length;
    body["input"] = "aGo=";
    EXPECT_EQ(DataOf(Post("transit/verify/" + key, body))["valid"], false) << length;
  }
  Cell(false, "transit/hmac/" + key, json::object());
  Cell(false, "transit/hmac/" + key, {{"input", "aGk="}, {"key_version", 9}});
}

// The hash in the path, in the body and under its former name is the same hash; the path's wins.
void TransitMatrix::HashForms(const TypeRow& row, const std::string& key) {
  const json forms[] = {{{"hash_algorithm", "sha2-384"}}, {{"algorithm", "sha2-384"}}};
  const bool fits = row.create.value("key_size", 64) >= DigestOctets("sha2-384");
  for (const auto& [operation, member, works] :
       {std::tuple{"sign", "signature", row.signs}, std::tuple{"hmac", "hmac", fits}}) {
    const std::string path = std::string("transit/") + operation + "/" + key;
    json made = json::array();
    for (json body : forms) {
      body["input"] = "aGk=";
      made.push_back(DataOf(Cell(works, path, body))[member]);
      body["hash_algorithm"] = "md5";
      made.push_back(DataOf(Cell(works, path + "/sha2-384", body))[member]);
    }
    if (!works) continue;
    for (const json& proof : made) {
      for (json body : forms) {
        body["input"] = "aGk=";
        body[member] = proof;
        EXPECT_EQ(DataOf(Cell(true, "transit/verify/" + key, body))["valid"], true) << body.dump();
        body["hash_algorithm"] = "md5";
        EXPECT_EQ(DataOf(Cell(true, "transit/verify/" + key + "/sha2-384", body))["valid"], true)
            << body.dump();
      }
    }
  }
}

// Returns the results in the order of the items, with their references; or expects 400 with a text,
// for the whole request or for each item.
json TransitMatrix::BatchCell(bool works, const std::string& path, const TypeRow& row, json items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i]["reference"] = "item " + std::to_string(i);
    if (row.create.contains("derived")) items[i]["context"] = "Y29udGV4dA==";
  }
  ++cells_;
  const auto answer = Post(path, {{"batch_input", items}});
  const std::string what = path + " " + items.dump() + " -> " + answer.body;
  EXPECT_EQ(answer.status, works ? 200 : 400) << what;
  const json body = json::parse(answer.body);
  if (body.contains("errors")) {
    EXPECT_FALSE(works) << what;
    return nullptr;
  }
  json results = body["data"]["batch_results"];
  EXPECT_EQ(results.size(), items.size()) << what;
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i]["reference"], items[i]["reference"]) << what;
    EXPECT_EQ(results[i].contains("error"), !works) << what;
  }
  return results;
}

void TransitMatrix::Batches(const TypeRow& row, const std::string& key) {
  const auto items_of = [](const json& results, const std::string& member) {
    json items = json::array();
    for (const json& result : results) items.push_back({{member, result[member]}});
    return items;
  };
  const json any = {{{"ciphertext", "vault:v1:AAAA"}}};
  const json sealed = BatchCell(row.encrypts, "transit/encrypt/" + key, row,
                                {{{"plaintext", "YQ=="}}, {{"plaintext", "Yg=="}}});
  const json ciphertexts = row.encrypts ? items_of(sealed, "ciphertext") : any;
  const json opened = BatchCell(row.encrypts, "transit/decrypt/" + key, row, ciphertexts);
  BatchCell(row.encrypts, "transit/rewrap/" + key, row, ciphertexts);
  BatchCell(row.encrypts, "transit/inspect/" + key, row, ciphertexts);
  if (row.encrypts) {
    EXPECT_EQ(opened[0]["plaintext"], "YQ==");
    EXPECT_EQ(opened[1]["plaintext"], "Yg==");
  }
  for (const auto& [operation, member, works] :
       {std::tuple{"sign", "signature", row.signs}, std::tuple{"hmac", "hmac", true},
        std::tuple{"cmac", "cmac", row.cmac}}) {
    const json made = BatchCell(works, std::string("transit/") + operation + "/" + key, row,
                                {{{"input", "YQ=="}}, {{"input", "Yg=="}}});
    if (!works) continue;
    json proofs = items_of(made, member);
    proofs[0]["input"] = "YQ==";
    proofs[1]["input"] = "YQ==";
    const json verified = BatchCell(true, "transit/verify/" + key, row, proofs);
    EXPECT_EQ(verified[0]["valid"], true) << operation;
    EXPECT_EQ(verified[1]["valid"], false) << operation;
  }
}

// Tries the older version of a key that was rotated once.
void TransitMatrix::OldVersions(const TypeRow& row, const std::string& key) {
  const bool derived = row.create.contains("derived");
  const auto with_context = [&](json body) {
    if (derived) body["context"] = "Y29udGV4dA==";
    return body;
  };
  struct Operation {
    bool works;
    const char* make;
    const char* given;
    const char* made;
    const char* take;
  };
  const Operation operations[] = {
      {row.encrypts, "encrypt", "plaintext", "ciphertext", "decrypt"},
      {row.signs, "sign", "input", "signature", "verify"},
      {true, "hmac", "input", "hmac", "verify"},
      {row.cmac, "cmac", "input", "cmac", "verify"},
  };
  std::vector<std::pair<const Operation*, json>> old;
  for (const Operation& operation : operations) {
    const std::string path = std::string("transit/") + operation.make + "/" + key;
    for (const int version : {1, 2, 3, -1}) {
      const bool works = operation.works && (version == 1 || version == 2);
      const auto made =
          Cell(works, path, with_context({{operation.given, "aGk="}, {"key_version", version}}));
      if (!works) continue;
      const json value = DataOf(made)[operation.made];
      EXPECT_TRUE(value.get<std::string>().starts_with("vault:v" + std::to_string(version) + ":"))
          << path;
      json body = with_context({{operation.made, value}});
      if (operation.take == std::string("verify")) body["input"] = "aGk=";
      Cell(true, std::string("transit/") + operation.take + "/" + key, body);
      if (version == 1) old.emplace_back(&operation, body);
    }
  }
  Cell(true, "transit/keys/" + key + "/config",
       {{"min_decryption_version", 2}, {"min_encryption_version", 2}});
  for (const auto& [operation, body] : old) {
    const auto refused = Cell(false, std::string("transit/") + operation->take + "/" + key, body);
    EXPECT_NE(ErrorOf(refused).find("disallowed by policy"), std::string::npos) << refused.body;
    Cell(false, std::string("transit/") + operation->make + "/" + key,
         with_context({{operation->given, "aGk="}, {"key_version", 1}}));
  }
}

void TransitMatrix::Lifecycle(const TypeRow& row, const std::string& key) {
  const json document = DataOf(Get("transit/keys/" + key));
  EXPECT_EQ(document["type"], row.type);
  EXPECT_EQ(document["supports_encryption"], row.encrypts);
  EXPECT_EQ(document["supports_signing"], row.signs);
  EXPECT_EQ(document["custody"], std::string(row.kind) == "ed25519" ? "resident" : "wrapped");
  EXPECT_EQ(document["derived"], row.create.contains("derived"));
  EXPECT_TRUE(document["keys"].contains("1"));
  EXPECT_TRUE(document["versions"]["1"]["creation_time"].is_string());
  EXPECT_EQ(document["keys"]["1"].is_object(), row.signs);
  if (std::string(row.kind) != "rsa" || row.bits == 2048) {
    EXPECT_EQ(
        DataOf(Cell(true, "transit/keys/" + key + "/rotate", json::object()))["latest_version"], 2);
  }
  Cell(row.signs, "transit/keys/" + key + "/csr", json::object());
  const auto backup = Get("transit/backup/" + key);
  EXPECT_EQ(backup.status, std::string(row.kind) == "ed25519" ? 400 : 200) << backup.body;
  if (backup.status == 200) {
    const json restore = {{"backup", DataOf(backup)["backup"]}};
    EXPECT_EQ(Post("transit/restore/" + key + "-copy", restore).status, 204);
    EXPECT_EQ(DataOf(Get("transit/keys/" + key + "-copy"))["keys"],
              DataOf(Get("transit/keys/" + key))["keys"]);
    Cell(false, "transit/restore/" + key, restore);
  }
  cells_ += 3;
  if (DataOf(Get("transit/keys/" + key))["latest_version"] == 2) OldVersions(row, key);
  Cell(true, "transit/keys/" + key + "/config", {{"deletion_allowed", true}});
  ++cells_;
  EXPECT_EQ(Send(http::Method::kDelete, "transit/keys/" + key).status, 204);
}

TEST_F(TransitMatrix, EveryCellWorksOrIsRefusedInWords) {
  int number = 0;
  for (const TypeRow& row : Types()) {
    const std::string key = "k" + std::to_string(++number);
    json create = row.create;
    create["type"] = row.type;
    ASSERT_EQ(Cell(true, "transit/keys/" + key, create).status, 200) << row.type;
    Encryption(row, key);
    Signing(row, key);
    Macs(row, key);
    HashForms(row, key);
    Batches(row, key);
    Lifecycle(row, key);
  }
  RecordProperty("cells", cells_);
  std::cout << cells_ << " cells, " << texts_.size() << " different refusals\n";
}

TEST_F(TransitMatrix, WhatCannotBeMadeIsRefusedWithTheReason) {
  const struct {
    json body;
    std::string text;
  } kCases[] = {
      {{{"type", "chacha20-poly1305"}},
       "key type chacha20-poly1305 is not supported: the token cannot make ChaCha20 keys (PKCS#11 "
       "3.0 CKM_CHACHA20_KEY_GEN)"},
      {{{"type", "ml-dsa"}, {"parameter_set", "65"}},
       "key type ml-dsa is not supported: no token that it could be tested with makes such keys"},
      {{{"type", "mlkem-768"}},
       "key type mlkem-768 is not supported: no token that it could be tested with makes such "
       "keys"},
      {{{"type", "xchacha20-poly1305"}},
       "key type xchacha20-poly1305 is not supported: no token that it could be tested with takes "
       "nonces of 192 bits"},
      {{{"type", "ed25519"}, {"derived", true}},
       "key type ed25519 is not supported: the token cannot derive key pairs, so derived must be "
       "false"},
      {{{"type", "managed_key"}},
       "key type managed_key is not supported: every key is kept by this server's own token"},
      {{{"type", "rot13"}}, "unknown key type rot13"},
      {{{"type", "ecdsa-p256"}, {"derived", true}},
       "key derivation and convergent encryption not supported for keys of type ecdsa-p256"},
      {{{"convergent_encryption", true}},
       "convergent encryption requires derivation to be enabled"},
      {{{"type", "hmac"}, {"key_size", 31}}, "invalid key_size 31"},
      {{{"type", "hmac"}, {"key_size", 520}}, "invalid key_size 520"},
      {{{"type", "hmac"}, {"key_size", 33}},
       "invalid key_size 33: the token's key wrap takes multiples of 8 bytes"},
      {{{"key_size", 32}}, "key_size is not valid for algorithm aes256-gcm96"},
      {{{"auto_rotate_period", 5}}, "auto rotate period must be 0 to disable or at least an hour"},
  };
  for (const auto& item : kCases) {
    const auto answer = Post("transit/keys/none", item.body);
    EXPECT_EQ(answer.status, 400) << item.body.dump();
    EXPECT_EQ(ErrorOf(answer), item.text);
    EXPECT_EQ(Get("transit/keys/none").status, 404) << item.body.dump();
  }
}

TEST_F(TransitMatrix, ConvergentEncryptionRepeatsItselfAndNothingElseDoes) {
  Post("transit/keys/c", {{"derived", true}, {"convergent_encryption", true}});
  Post("transit/keys/d", {{"derived", true}});
  const auto seal = [&](const std::string& key, const std::string& plaintext,
                        const std::string& context, const std::string& aad = "") {
    return DataOf(Post(
        "transit/encrypt/" + key,
        {{"plaintext", plaintext}, {"context", context}, {"associated_data", aad}}))["ciphertext"]
        .get<std::string>();
  };
  const std::string first = seal("c", "aGVsbG8=", "YQ==");
  EXPECT_EQ(seal("c", "aGVsbG8=", "YQ=="), first);
  EXPECT_NE(seal("c", "aGVsbG9v", "YQ=="), first);
  EXPECT_NE(seal("c", "aGVsbG8=", "Yg=="), first);
  EXPECT_NE(seal("c", "aGVsbG8=", "YQ==", "YQ=="), first);
  EXPECT_NE(seal("d", "aGVsbG8=", "YQ=="), seal("d", "aGVsbG8=", "YQ=="));
  const auto wrong = Post("transit/decrypt/c", {{"ciphertext", first}, {"context", "Yg=="}});
  EXPECT_EQ(ErrorOf(wrong), "cipher: message authentication failed");
  const json document = DataOf(Get("transit/keys/c"));
  EXPECT_EQ(document["kdf"], "coffer-kdf-aesecb-1");
  EXPECT_EQ(document["convergent_encryption"], true);
  EXPECT_EQ(document["convergent_encryption_version"], -1);
  EXPECT_EQ(document["versions"]["1"]["kdf"], "coffer-kdf-aesecb-1");
}

TEST_F(TransitMatrix, EncryptionMakesADerivedKeyWhereAContextIsGiven) {
  const json body = {
      {"plaintext", "aGVsbG8="}, {"context", "YQ=="}, {"convergent_encryption", true}};
  const auto sealed = Post("transit/encrypt/made", body);
  ASSERT_EQ(sealed.status, 200) << sealed.body;
  EXPECT_EQ(DataOf(Get("transit/keys/made"))["derived"], true);
  EXPECT_EQ(DataOf(Post("transit/encrypt/made", body)), DataOf(sealed));
  EXPECT_EQ(ErrorOf(Post("transit/encrypt/other", {{"plaintext", ""}, {"type", "ecdsa-p256"}})),
            "key type ecdsa-p256 not supported for this operation");
}

TEST_F(TransitMatrix, AnRsaCiphertextThatIsNoneHasOneError) {
  Post("transit/keys/r", {{"type", "rsa-2048"}});
  const std::string error = "failed to RSA decrypt the ciphertext";
  Bytes octets(256, 0xff);
  for (const Bytes& payload :
       {octets, Bytes(256, 1), Bytes(256, 0), Bytes(255, 1), Bytes(257, 1), Bytes()}) {
    const auto answer =
        Post("transit/decrypt/r", {{"ciphertext", "vault:v1:" + Base64Encode(payload)}});
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(ErrorOf(answer), error);
  }
  const auto long_message = Post("transit/encrypt/r", {{"plaintext", Base64Encode(Bytes(191))}});
  EXPECT_EQ(ErrorOf(long_message), "message too long for RSA key size");
  EXPECT_EQ(Post("transit/encrypt/r", {{"plaintext", Base64Encode(Bytes(190))}}).status, 200);
}

TEST_F(TransitMatrix, EachItemOfABatchHasItsOwnError) {
  Post("transit/keys/r", {{"type", "rsa-2048"}});
  const json sealed = DataOf(Post("transit/encrypt/r", {{"plaintext", "aGk="}}))["ciphertext"];
  const auto opened =
      Post("transit/decrypt/r",
           {{"batch_input",
             {{{"ciphertext", "vault:v1:!"}},
              {{"ciphertext", sealed}, {"associated_data", "YQ=="}, {"reference", "aad"}},
              {{"ciphertext", sealed}},
              {{"ciphertext", "vault:v9:AAAA"}}}}});
  EXPECT_EQ(opened.status, 400);
  const json results = DataOf(opened)["batch_results"];
  EXPECT_EQ(results[0]["error"], "invalid ciphertext: could not decode base64");
  EXPECT_EQ(results[1]["error"],
            "'[1].associated_data' provided for non-AEAD cipher suite rsa-2048");
  EXPECT_EQ(results[1]["reference"], "aad");
  EXPECT_EQ(results[2]["plaintext"], "aGk=");
  EXPECT_EQ(results[3]["error"], "invalid ciphertext: version is too new");
}

TEST_F(TransitMatrix, InspectsALoadedKeyWhileTheTokenIsAway) {
  const std::string sealed = Seal("k", "hello");
  token_.MoveAway();
  while (keys_->Ready()) std::this_thread::yield();
  EXPECT_EQ(Post("transit/inspect/k", {{"ciphertext", sealed}}).status, 200);
  EXPECT_EQ(Post("transit/decrypt/k", {{"ciphertext", sealed}}).status, 503);
  token_.MoveBack();
}

TEST_F(TransitMatrix, InspectsWithoutOpening) {
  const std::string sealed = Seal("k", "hello");
  Post("transit/keys/k/rotate");
  const json seen = DataOf(Post("transit/inspect/k", {{"ciphertext", sealed}}));
  EXPECT_EQ(seen, (json{{"version", 1},
                        {"latest_version", 2},
                        {"type", "aes256-gcm96"},
                        {"plaintext_length", 5},
                        {"needs_rewrap", true},
                        {"decryptable", true}}));
  const json batch = DataOf(Post(
      "transit/inspect/k",
      {{"batch_input", {{{"ciphertext", sealed}, {"reference", "a"}}, {{"ciphertext", "x"}}}}}));
  EXPECT_EQ(batch["batch_results"][0]["reference"], "a");
  EXPECT_EQ(batch["batch_results"][1]["error"], "invalid ciphertext: no prefix");
}

TEST_F(TransitMatrix, SignBatchesAnswer200WithReferencesAndErrors) {
  Post("transit/keys/e", {{"type", "ecdsa-p256"}});
  const auto made = Post("transit/sign/e", {{"batch_input",
                                             {{{"input", "YQ=="}, {"reference", "one"}},
                                              {{"input", "!"}, {"reference", "two"}},
                                              {{"reference", "three"}}}}});
  ASSERT_EQ(made.status, 200) << made.body;
  const json results = DataOf(made)["batch_results"];
  EXPECT_EQ(results[0]["key_version"], 1);
  EXPECT_EQ(results[1]["key_version"], 0);
  EXPECT_EQ(results[2]["error"], "missing input");
  EXPECT_EQ(results[2]["reference"], "three");
  const auto verified =
      Post("transit/verify/e",
           {{"batch_input",
             {{{"input", "YQ=="}, {"signature", results[0]["signature"]}, {"reference", "one"}},
              {{"input", "Yg=="}, {"signature", results[0]["signature"]}, {"reference", "two"}},
              {{"input", "Yg=="}, {"signature", "junk"}, {"reference", "three"}}}}});
  ASSERT_EQ(verified.status, 200);
  EXPECT_EQ(DataOf(verified)["batch_results"][0], (json{{"valid", true}, {"reference", "one"}}));
  EXPECT_EQ(DataOf(verified)["batch_results"][1], (json{{"valid", false}, {"reference", "two"}}));
  EXPECT_EQ(DataOf(verified)["batch_results"][2]["error"], "invalid signature: no prefix");
}

TEST_F(TransitMatrix, VerificationSaysWhatWasNotGiven) {
  Post("transit/keys/e", {{"type", "ecdsa-p256"}});
  const auto text = [&](const json& body) { return ErrorOf(Post("transit/verify/e", body)); };
  EXPECT_EQ(text({{"input", ""}}), "neither a 'signature' nor an 'hmac' were given to verify");
  EXPECT_EQ(text({{"input", ""}, {"signature", "a"}, {"hmac", "b"}}),
            "provide one of 'signature' or 'hmac'");
  EXPECT_EQ(text({{"batch_input", {{{"input", ""}}}}}),
            "no batch_input elements have 'signature' or 'hmac'");
  EXPECT_EQ(text({{"batch_input", {{{"signature", "a"}}, {{"hmac", "a"}}}}}),
            "elements of batch_input must all provide 'signature' or all provide 'hmac'");
  EXPECT_EQ(text({{"batch_input", {{{"signature", "a"}}, {{"input", "a"}}}}}),
            "some elements of batch_input are missing 'signature'");
  EXPECT_EQ(text({{"input", ""}, {"signature", "vault:v1:!"}}), "invalid base64 signature value");
  EXPECT_EQ(text({{"input", ""}, {"signature", "vault:v1:AAAA"}}), "supplied signature is invalid");
  EXPECT_EQ(ErrorOf(Post("transit/verify/none", {{"input", ""}, {"signature", "vault:v1:AAAA"}})),
            "signature verification key not found");
  EXPECT_EQ(ErrorOf(Post("transit/sign/none", {{"input", ""}})), "signing key not found");
}

}  // namespace
}  // namespace coffer::api
