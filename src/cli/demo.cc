#include "cli/demo.h"

#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "cli/output.h"
#include "cli/records.h"
#include "coffer/base/base64.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kBatch = 100;

// The sentences of the server's errors, and the status.
std::string Sentences(const Answer& answer) {
  std::string text;
  for (const std::string& sentence : ErrorsOf(answer.body)) {
    text += (text.empty() ? "" : "; ") + sentence;
  }
  return text + " (status " + std::to_string(answer.status) + ")";
}

class Demo {
 public:
  Demo(VaultClient& client, const DemoOptions& options) : client_(client), options_(options) {}
  Status Run();

 private:
  static void Say(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }
  Result<json> Call(std::string_view method, const std::string& path, const json& body);
  // Sends `inputs` in batches and collects one result field of each item.
  Result<std::vector<std::string>> Batches(const std::string& operation,
                                           const std::string& field_in,
                                           const std::string& field_out,
                                           const std::vector<std::string>& inputs);
  Status ExpectOldRefused(const std::string& ciphertext);
  Status SearchFiles(const std::vector<std::string>& records);
  void Report(std::size_t records, double seconds) const;

  VaultClient& client_;
  const DemoOptions& options_;
  std::string key_;
};

Result<json> Demo::Call(std::string_view method, const std::string& path, const json& body) {
  COFFER_ASSIGN(const Answer answer, client_.Call(method, path, body.is_null() ? "" : body.dump()));
  if (answer.status >= 400) return Fail(Code::kInvalid, path + ": " + Sentences(answer));
  json parsed = answer.body.empty() ? json::object() : json::parse(answer.body, nullptr, false);
  if (parsed.is_discarded()) return Fail(Code::kInternal, path + ": the answer is not JSON");
  return parsed;
}

Result<std::vector<std::string>> Demo::Batches(const std::string& operation,
                                               const std::string& field_in,
                                               const std::string& field_out,
                                               const std::vector<std::string>& inputs) {
  std::vector<std::string> outputs;
  outputs.reserve(inputs.size());
  for (std::size_t begin = 0; begin < inputs.size(); begin += kBatch) {
    json items = json::array();
    for (std::size_t i = begin; i < std::min(begin + kBatch, inputs.size()); ++i) {
      items.push_back({{field_in, inputs[i]}});
    }
    const std::size_t expected = items.size();
    COFFER_ASSIGN(const json answer, Call("POST", "transit/" + operation + "/" + key_,
                                          {{"batch_input", std::move(items)}}));
    const json results = answer.value(json::json_pointer("/data/batch_results"), json::array());
    if (results.size() != expected)
      return Fail(Code::kInternal, operation + ": results are missing");
    for (const json& result : results) {
      if (!result.contains(field_out)) {
        return Fail(Code::kInternal,
                    operation + ": " + result.value("error", "a result is missing"));
      }
      outputs.push_back(result[field_out].get<std::string>());
    }
  }
  return outputs;
}

Status Demo::ExpectOldRefused(const std::string& ciphertext) {
  COFFER_ASSIGN(const Answer answer, client_.Call("POST", "transit/decrypt/" + key_,
                                                  json{{"ciphertext", ciphertext}}.dump()));
  if (answer.status != 400) {
    return Fail(Code::kInternal,
                "an old ciphertext was not refused (status " + std::to_string(answer.status) + ")");
  }
  Say("  an old ciphertext is refused: " + Sentences(answer));
  return {};
}

Status Demo::SearchFiles(const std::vector<std::string>& records) {
  if (options_.data_directory.empty()) return {};
  std::vector<std::string> needles;
  for (const std::string& record : records) {
    if (record.size() < 16) continue;
    needles.push_back(record);
    needles.push_back(Base64Encode(AsBytes(record)));
  }
  COFFER_ASSIGN(const std::size_t found, CountFound(options_.data_directory, needles));
  if (found > 0)
    return Fail(Code::kInternal, std::to_string(found) + " plaintexts stand in the server's files");
  Say("  no plaintext in any file below " + options_.data_directory);
  return {};
}

void Demo::Report(std::size_t records, double seconds) const {
  const std::string& address = client_.Where().address;
  const double operations = static_cast<double>(records) * 3;
  std::printf(
      "\n%-22s %zu\n%-22s %d\n%-22s %.2f\n%-22s %.0f\n%-22s %d differences\n%-22s %s\n%-22s %s\n\n",
      "records", records, "key versions", 2, "seconds", seconds, "operations per second",
      operations / seconds, "compared byte for byte", 0, "address", address.c_str(), "token",
      "SoftHSM (for testing only)");
  std::printf("Try it, with VAULT_ADDR=%s and VAULT_TOKEN set to the root token:\n",
              address.c_str());
  std::printf(
      "  curl -H \"X-Vault-Token: $VAULT_TOKEN\" -d '{\"plaintext\":\"aGVsbG8=\"}' "
      "$VAULT_ADDR/v1/transit/encrypt/%s\n",
      key_.c_str());
  std::printf(
      "  python3 -c \"import hvac; print(hvac.Client().secrets.transit.encrypt_data('%s', "
      "'aGVsbG8=')['data'])\"\n",
      key_.c_str());
  std::printf("  coffer write transit/encrypt/%s plaintext=aGVsbG8=\n", key_.c_str());
  std::fflush(stdout);
}

Status Demo::Run() {
  COFFER_ASSIGN(const std::vector<std::string> records, ReadRecords(options_.file));
  key_ = "demo-" + std::to_string(std::random_device{}());
  Say("coffer demo: " + std::to_string(records.size()) + " records of " + options_.file);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::string> plaintexts;
  plaintexts.reserve(records.size());
  for (const std::string& record : records) plaintexts.push_back(Base64Encode(AsBytes(record)));
  COFFER_TRY(Call("POST", "transit/keys/" + key_, json::object()));
  Say("  key " + key_ + " made in the token");
  COFFER_ASSIGN(const auto old, Batches("encrypt", "plaintext", "ciphertext", plaintexts));
  Say("  encrypted in batches of " + std::to_string(kBatch));
  COFFER_TRY(Call("POST", "transit/keys/" + key_ + "/rotate", nullptr));
  COFFER_ASSIGN(const auto fresh, Batches("rewrap", "ciphertext", "ciphertext", old));
  Say("  key rotated, every ciphertext rewrapped to version 2 without its plaintext leaving the "
      "server");
  for (const std::string& ciphertext : fresh) {
    if (!ciphertext.starts_with("vault:v2:"))
      return Fail(Code::kInternal, "a ciphertext was not rewrapped");
  }
  COFFER_TRY(Call("POST", "transit/keys/" + key_ + "/config", {{"min_decryption_version", 2}}));
  COFFER_TRY(ExpectOldRefused(old.front()));
  COFFER_ASSIGN(const auto decrypted, Batches("decrypt", "ciphertext", "plaintext", fresh));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::size_t differences = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto octets = Base64Decode(decrypted[i]);
    if (!octets || AsText(*octets) != records[i]) ++differences;
  }
  if (differences > 0) return Fail(Code::kInternal, std::to_string(differences) + " differences");
  COFFER_TRY(SearchFiles(records));
  Report(records.size(), took.count());
  return {};
}

}  // namespace

Status RunDemo(VaultClient& client, const DemoOptions& options) {
  return Demo(client, options).Run();
}

}  // namespace coffer::cli
