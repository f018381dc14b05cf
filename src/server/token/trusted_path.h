#pragma once

#include <filesystem>
#include <string_view>

#include "coffer/base/result.h"

namespace coffer::server {

// Checks that only root and this process's user can change what stands at `path`: neither it, nor a
// link on the way, nor a directory above belongs to somebody else or can be written by others or by
// a group but root's. A directory above with the sticky bit, such as /tmp, may be: in it only the
// owner of a file can rename it. If the end of the path does not exist yet, the part that exists is
// checked. Somebody who can change a configuration or a module could make the server give its PIN
// away. kInvalid "<what> <path>: ..." with what stands open and the command that closes it.
Status CheckTrustedPath(std::string_view what, const std::filesystem::path& path);

}  // namespace coffer::server
