#pragma once

#include <string>

namespace coffer::cli {

// Reads a secret. On a terminal it asks with `prompt` and reads a line that is not shown; a signal
// that ends the program leaves the terminal as it was. If standard input is no terminal it reads
// all of it, at most 64 KiB.
std::string ReadSecret(const char* prompt);

}  // namespace coffer::cli
