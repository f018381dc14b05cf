#pragma once

#include "api/json_writer.h"
#include "coffer/keyring/key.h"

namespace coffer::api {

// The key document (docs/compat.md). Versions below min_decryption_version are archived and not
// shown.
void WriteKeyDocument(const keyring::Key& key, JsonWriter& json);

}  // namespace coffer::api
