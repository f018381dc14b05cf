#pragma once

#include <filesystem>
#include <optional>

#include "coffer/base/result.h"
#include "coffer/base/secret_bytes.h"

namespace coffer::server {

// Small files of mode 0600, most of which hold one secret line.

// The line without its newline, at most 4096 bytes; nothing if there is no file.
Result<std::optional<SecretBytes>> ReadSecretFile(const std::filesystem::path& file);
// Replaces the file as a whole and syncs it, and its directory, before it returns. Writes to
// FILE.new first: kConflict where that is neither absent nor an ordinary file of this user.
Status ReplacePrivateFile(const std::filesystem::path& file, ByteView octets);
// Replaces the file like ReplacePrivateFile(), with the secret and a newline.
Status WriteSecretFile(const std::filesystem::path& file, const SecretBytes& secret);

}  // namespace coffer::server
