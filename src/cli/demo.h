#pragma once

#include <string>

#include "cli/vault_client.h"
#include "coffer/base/result.h"

namespace coffer::cli {

struct DemoOptions {
  std::string file = "/usr/share/iso-codes/json/iso_3166-2.json";
  std::string data_directory;  // searched for plaintext, unless empty
};

// The main job on real records, shown step by step: encrypt, rotate, rewrap, raise the minimum,
// decrypt, compare. An error where anything differs or is not refused that should be.
Status RunDemo(VaultClient& client, const DemoOptions& options);

}  // namespace coffer::cli
