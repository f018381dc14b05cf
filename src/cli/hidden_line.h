#pragma once

#include <string>

namespace coffer::cli {

// A line of standard input. On a terminal `prompt` asks for it and it is not shown; whatever ends
// the program meanwhile leaves the terminal as it was.
std::string ReadHiddenLine(const char* prompt);

}  // namespace coffer::cli
