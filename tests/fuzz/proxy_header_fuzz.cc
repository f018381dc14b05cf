#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "coffer/base/address_set.h"
#include "http/proxy_header.h"

// Reads as a connection does: never more bytes than the header certainly has.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using coffer::http::ProxyHeader;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::size_t taken = 0;
  while (true) {
    const ProxyHeader header = coffer::http::ParseProxyHeader(input.substr(0, taken));
    if (header.state == ProxyHeader::State::kBad) return 0;
    if (header.state == ProxyHeader::State::kDone) {
      if (!header.address.empty() && coffer::CanonicalAddress(header.address).empty()) {
        std::abort();
      }
      return 0;
    }
    if (header.more == 0) std::abort();
    if (taken + header.more > size) return 0;
    taken += header.more;
  }
}
