#include "server/console/families.h"

#include <CLI/CLI.hpp>

#include "coffer/api/reference.h"
#include "coffer/base/standard_output.h"
#include "server/console/command_line.h"

namespace coffer::server {

int ApiDocsCommand(const std::vector<std::string>& arguments) {
  std::string format = "markdown";
  CLI::App app("coffer api-docs: the API reference", "coffer api-docs");
  app.add_option("--format", format, "markdown or openapi (JSON)")
      ->check(CLI::IsMember({"markdown", "openapi"}));
  if (const auto ended = ParseCommandLine(app, arguments)) return *ended;
  const api::Registry& engines = api::EnginesOfProgram();
  const std::string text =
      format == "openapi" ? api::OpenApiDocument(engines) + "\n" : api::ApiReference(engines);
  PrintOutput(text);
  return 0;
}

}  // namespace coffer::server
