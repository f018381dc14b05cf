#pragma once

#include <string>

#include "coffer/api/registry.h"

namespace coffer::api {

// The documents that describe the API, made from the declarations of the engines. Nobody owns
// anything here; any thread may call; there are no errors. No server is needed:
// `OpenApiDocument(EnginesOfProgram())` will do.

// Returns an OpenAPI 3.0 document (JSON), as sys/internal/specs/openapi answers it. The paths of an
// engine that can be mounted begin with {NAME_mount_path}, as in Vault's own document with
// generic_mount_paths.
std::string OpenApiDocument(const Registry& engines);

// Returns the same for people, in Markdown: docs/api/reference.md.
std::string ApiReference(const Registry& engines);

}  // namespace coffer::api
