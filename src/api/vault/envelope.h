#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "api/face.h"

namespace coffer::api {

// Writes the head of the envelope of a successful answer. The endpoint appends its data after it,
// and the tail follows. The data is not copied, since it may be a secret, unless it is repeated at
// the top for old clients.
void AppendEnvelopeHead(std::string_view request_id, std::string& out);
// Writes the tail, and null if no data was appended. Returns by how many bytes the data was moved,
// because a lease stands before it.
std::size_t AppendEnvelopeTail(const Answer& answer, std::string& out);
// {"errors":["text"]}, as clients read them.
std::string ErrorList(std::string_view text);
// A size that is enough for the head and a tail without warnings.
constexpr std::size_t kEnvelopeSize = 256;

}  // namespace coffer::api
