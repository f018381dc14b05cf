#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "api/endpoint.h"

namespace coffer::api {

// The parts of a path that an endpoint's pattern names, in order.
class Captures {
 public:
  static constexpr std::size_t kMost = 4;
  using Capture = std::pair<std::string_view, std::string_view>;  // name, text

  void Push(std::string_view name, std::string_view text) { all_[size_++] = {name, text}; }
  void Pop() { --size_; }
  const Capture* begin() const { return all_.data(); }
  const Capture* end() const { return all_.data() + size_; }

 private:
  std::array<Capture, kMost> all_;
  std::size_t size_ = 0;
};

// The endpoints of one engine, found by their paths. A path is followed segment by segment, so that
// other endpoints are not looked at and no memory is taken. Immutable.
class EndpointTable {
 public:
  // kInternal if two endpoints have one pattern, or a pattern is malformed. The operations are
  // numbered from `first_operation` on.
  static Result<EndpointTable> Make(std::vector<Endpoint> endpoints, std::size_t first_operation);

  struct Match {
    const Endpoint* endpoint = nullptr;  // null: no such path
    Captures captures;
  };
  // Finds the endpoint of a path; if several patterns match, the one that was declared first. The
  // captures point into `path` and the table.
  Match Find(std::string_view path) const;
  const std::vector<Endpoint>& Endpoints() const { return endpoints_; }
  std::size_t Operations() const { return operations_; }

 private:
  struct Branch {
    char kind = 0;          // ':' or '='
    std::string_view name;  // the capture's
    std::size_t node = 0;
  };
  // "*name", or "*name/suffix": the end of a pattern.
  struct Rest {
    std::string_view name;
    std::string_view suffix;  // with its slash, or empty
    std::size_t endpoint = 0;
  };
  // A node of the tree: the place in one or more patterns after the same segments.
  struct Node {
    std::vector<std::pair<std::string_view, std::size_t>> literals;  // by name: the next node
    std::vector<Branch> captures;
    std::vector<Rest> rests;
    std::size_t endpoint = kNone;  // the endpoint whose pattern ends here
  };
  struct Search;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  EndpointTable() = default;
  Status Insert(std::size_t endpoint);
  std::size_t NextNode(std::size_t node, std::string_view segment);
  void Follow(std::size_t node, std::string_view rest, Search& search) const;

  std::vector<Endpoint> endpoints_;
  std::vector<Node> nodes_;
  std::size_t operations_ = 0;
};

}  // namespace coffer::api
