#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "api/face.h"

namespace coffer::api {

// The success envelope around `data`, written in place: the head, then the endpoint appends data,
// then the tail. No copy of the data is made (it may be a secret), unless it is repeated at the top
// for old clients.
void AppendEnvelopeHead(std::string_view request_id, std::string& out);
// Where no data was appended: null. Returns by how many bytes the data was moved: a lease stands
// before it.
std::size_t AppendEnvelopeTail(const Answer& answer, std::string& out);
// {"errors":["text"]}, as clients read them.
std::string ErrorList(std::string_view text);
// More than the head and a tail without warnings need.
constexpr std::size_t kEnvelopeSize = 256;

}  // namespace coffer::api
