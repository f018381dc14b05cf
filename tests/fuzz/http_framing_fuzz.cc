#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "http/framing.h"

namespace coffer::http {
namespace {

struct Outcome {
  RequestFramer::State state = RequestFramer::State::kNeedMore;
  std::vector<std::string> requests;
  int status = 0;
  bool operator==(const Outcome&) const = default;
};

void Require(bool condition) {
  if (!condition) std::abort();
}

std::string Describe(const Request& request) {
  std::string text = std::string(MethodName(request.method)) + " " + request.path;
  for (const auto& [name, value] : request.query) text.append("?").append(name + "=" + value);
  for (const auto& [name, value] : request.headers) {
    text.append("\n").append(name).append(":").append(value);
  }
  return text.append("\n\n").append(request.body);
}

// Reads the input as a connection does whose first read ends at `cut`.
Outcome Read(std::string_view input, std::size_t cut) {
  RequestFramer framer({4096, 1024});
  Outcome outcome;
  std::size_t begin = 0;
  bool all = cut >= input.size();
  while (true) {
    const std::string_view buffer = input.substr(begin, (all ? input.size() : cut) - begin);
    outcome.state = framer.Advance(buffer);
    if (outcome.state == RequestFramer::State::kComplete) {
      Require(framer.Consumed() > 0 && framer.Consumed() <= buffer.size());
      Request request;
      if (!framer.Fill(buffer, request)) {
        outcome.state = RequestFramer::State::kError;
      } else {
        Require(request.path.front() == '/' && request.body.size() <= 1024);
        Require(request.path.find("//") == std::string::npos);
        outcome.requests.push_back(Describe(request));
        begin += framer.Consumed();
        framer.Reset();
        continue;
      }
    }
    if (outcome.state == RequestFramer::State::kError) {
      outcome.status = framer.Error().status;
      Require(outcome.status >= 400 && outcome.status < 600);
      return outcome;
    }
    if (all) return outcome;
    all = true;
  }
}

}  // namespace
}  // namespace coffer::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first byte says where to cut; beyond the header limit an error may be named either way.
  if (size < 2 || size > 4000) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = input.size() * data[0] / 256;
  if (!(coffer::http::Read(input, input.size()) == coffer::http::Read(input, cut))) std::abort();
  return 0;
}
