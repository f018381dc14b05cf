#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace coffer::api {

// The success envelope around `data`, written in place: the head, then the endpoint appends data,
// then the tail. No copy of the data is made (it may be a secret), unless it is repeated at the top
// for old clients.
void AppendEnvelopeHead(std::string_view request_id, std::string& out);
// `data_at` is where data began; nothing was appended: null.
void AppendEnvelopeTail(std::size_t data_at, bool data_at_top,
                        const std::vector<std::string>& warnings, std::string_view mount_type,
                        std::string& out);
// {"errors":["text"]}, as clients read them.
std::string ErrorList(std::string_view text);
// More than the head and a tail without warnings need.
constexpr std::size_t kEnvelopeSize = 256;

}  // namespace coffer::api
