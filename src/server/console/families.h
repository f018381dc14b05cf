#pragma once

#include <string>
#include <vector>

// The families of commands on the server's machine. Each takes the words after its own name, flags
// with two dashes, and returns the exit code: 0, 1 for what failed, 2 for a wrong call, and
// RunConsoleCommand's others.
namespace coffer::server {

// `coffer api-docs [-format=markdown|openapi]`: the API reference on standard output.
int ApiDocsCommand(const std::vector<std::string>& arguments);
// `coffer audit verify|head|query`: works on files alone, needs no server, no token and no
// configuration. 1 for findings, too.
int AuditCommand(const std::vector<std::string>& arguments);
int HsmCommand(const std::vector<std::string>& arguments);
int OperatorCommand(const std::vector<std::string>& arguments);

}  // namespace coffer::server
