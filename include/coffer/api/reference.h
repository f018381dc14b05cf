#pragma once

#include <string>

#include "coffer/api/registry.h"

namespace coffer::api {

// The API as the engines declare it. `EnginesOfProgram()` will do: neither needs a server.

// An OpenAPI 3.0 document (JSON); the paths of an engine that is mounted begin with
// {NAME_mount_path}, as in Vault's own with generic_mount_paths. As sys/internal/specs/openapi
// answers.
std::string OpenApiDocument(const Registry& engines);

// The same for people, in Markdown: docs/api/reference.md.
std::string ApiReference(const Registry& engines);

}  // namespace coffer::api
