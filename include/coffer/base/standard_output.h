#pragma once

#include <string_view>

#include "coffer/base/result.h"

namespace coffer {

// Writes to standard output; whether it arrives is FlushOutput()'s to say. One thread.
void PrintOutput(std::string_view text);

// Sees to it that all that was written to standard output has left the process. kUnavailable with
// the reason where some of it was lost.
Status FlushOutput();

// As FlushOutput; where it is a file its content is on the disk, too. For what is shown only once.
Status SyncOutput();

}  // namespace coffer
