#pragma once

#include <memory>

#include "coffer/audit/broker.h"
#include "coffer/audit/file_operations.h"

namespace coffer::audit {

// File operations whose Open() gives a stream in place of a file: the process's own output, the
// system's log or a socket. What a stream took is the kernel's: it cannot be read back or synced.
//
// Threads: any thread may call.
// Errors: negative error numbers, as everywhere in FileOperations. Open() waits for the
//   resolver, and for each address at most the settings' write_wait.
// Null for a file. `output` is the descriptor that "stdout" leads to.
std::unique_ptr<FileOperations> OpenStreams(const DeviceSettings& settings, int output);

}  // namespace coffer::audit
