#pragma once

#include <string>

namespace coffer::api {

// The API as the endpoint table declares it. Neither needs a server.

// An OpenAPI 3.0 document (JSON); the transit engine's paths begin with {transit_mount_path}, as in
// Vault's own with generic_mount_paths. As sys/internal/specs/openapi answers.
std::string OpenApiDocument();

// The same for people, in Markdown: docs/api/reference.md.
std::string ApiReference();

}  // namespace coffer::api
