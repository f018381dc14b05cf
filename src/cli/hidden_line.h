#pragma once

#include <string>

namespace coffer::cli {

// On a terminal a line, which `prompt` asks for and which is not shown; whatever ends the program
// meanwhile leaves the terminal as it was. Elsewhere all of standard input, 64 KiB at most.
std::string ReadSecret(const char* prompt);

}  // namespace coffer::cli
