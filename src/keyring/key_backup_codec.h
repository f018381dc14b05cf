#pragma once

#include <optional>

#include "coffer/base/bytes.h"
#include "coffer/base/ids.h"
#include "coffer/base/result.h"
#include "coffer/keyring/key.h"

namespace coffer::keyring {

// A key as a backup has it (docs/formats.md): its settings, and its versions' wrapped blobs. Ids,
// generation and counts are not in it: a restored key is a key of its own.
Bytes EncodeKeyBackup(const Id& database, const Key& key);

// The database that an encoding names, even if another server made it; nothing if it is no backup
// at all.
std::optional<Id> DatabaseOfBackup(ByteView encoded);

// Call only with what coffer-meta has made a MAC of. kInvalid where a release that is not this one
// wrote it. Neither ids nor counters are set; public keys are parsed.
Result<Key> DecodeKeyBackup(ByteView encoded);

}  // namespace coffer::keyring
