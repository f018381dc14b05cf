#pragma once

#include <string_view>

#include "coffer/base/result.h"

namespace coffer {

// Writes to standard output. An error shows only at FlushOutput(). One thread.
void PrintOutput(std::string_view text);

// Flushes standard output. kUnavailable with the reason if some of the output was lost.
Status FlushOutput();

// Flushes like FlushOutput(); if standard output is a file, its content is then on the disk, too.
// Used for a secret that is shown only once.
Status SyncOutput();

}  // namespace coffer
