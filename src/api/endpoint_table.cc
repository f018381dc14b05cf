#include "api/endpoint_table.h"

#include <algorithm>
#include <set>
#include <string>

#include "coffer/keyring/key.h"

namespace coffer::api {
namespace {

auto BadPattern(std::string_view pattern, std::string_view why) {
  return Fail(Code::kInternal, "", "the pattern " + std::string(pattern) + " " + std::string(why));
}

std::string_view FirstSegment(std::string_view path) { return path.substr(0, path.find('/')); }

bool IsCapture(std::string_view segment) {
  return segment.starts_with(':') || segment.starts_with('=');
}

bool Takes(char kind, std::string_view segment) {
  return !segment.empty() && (kind == '=' || keyring::KeyName::IsGeneric(segment));
}

// Returns a pattern without the names of its captures: two patterns of one shape match the same
// paths.
std::string ShapeOf(std::string_view pattern) {
  std::string shape;
  bool name = false;
  for (const char c : pattern) {
    if (c == '/') name = false;
    if (!name) shape += c;
    if (c == ':' || c == '=' || c == '*') name = true;
  }
  return shape;
}

bool SlashAtEndAllowed(const Endpoint& endpoint) {
  return endpoint.slash_at_end || endpoint.data_at_top ||
         endpoint.pattern.find('*') != std::string_view::npos ||
         std::ranges::find(endpoint.operations, Verb::kList, &Operation::verb) !=
             endpoint.operations.end();
}

}  // namespace

// The state of one look-up. If several patterns match, it keeps the one that was declared first.
struct EndpointTable::Search {
  bool slash_at_end = false;
  Captures captures;  // on the way to where the search is
  std::size_t best = kNone;
  Captures best_captures;
};

Result<EndpointTable> EndpointTable::Make(std::vector<Endpoint> endpoints,
                                          std::size_t first_operation) {
  EndpointTable table;
  table.endpoints_ = std::move(endpoints);
  table.nodes_.emplace_back();
  std::set<std::string> shapes;
  for (std::size_t i = 0; i < table.endpoints_.size(); ++i) {
    Endpoint& endpoint = table.endpoints_[i];
    endpoint.slash_at_end = SlashAtEndAllowed(endpoint);
    for (Operation& operation : endpoint.operations) {
      operation.number = first_operation + table.operations_++;
    }
    for (const FieldSpec& field : endpoint.fields) {
      if (field.plain) endpoint.plain_fields.push_back(field.name);
      if (field.secret) endpoint.secret_fields.push_back(field.name);
    }
    if (!shapes.insert(ShapeOf(endpoint.pattern)).second) {
      return BadPattern(endpoint.pattern, "is declared twice");
    }
    COFFER_TRY(table.Insert(i));
  }
  return table;
}

Status EndpointTable::Insert(std::size_t endpoint) {
  const std::string_view pattern = endpoints_[endpoint].pattern;
  std::size_t node = 0;
  std::size_t captures = 0;
  for (std::string_view rest = pattern;;) {
    const std::string_view segment = FirstSegment(rest);
    if (segment.empty()) return BadPattern(pattern, "has an empty segment");
    captures += IsCapture(segment) || segment.starts_with('*') ? 1 : 0;
    if (captures > Captures::kMost) return BadPattern(pattern, "has too many captures");
    if (segment.starts_with('*')) {
      const std::string_view suffix = rest.substr(segment.size());
      if (suffix.find_first_of(":=*") != std::string_view::npos) {
        return BadPattern(pattern, "has a capture behind \"*\"");
      }
      nodes_[node].rests.push_back({segment.substr(1), suffix, endpoint});
      return {};
    }
    node = NextNode(node, segment);
    if (segment.size() == rest.size()) break;
    rest.remove_prefix(segment.size() + 1);
  }
  nodes_[node].endpoint = endpoint;
  return {};
}

std::size_t EndpointTable::NextNode(std::size_t node, std::string_view segment) {
  const std::size_t fresh = nodes_.size();
  if (IsCapture(segment)) {
    std::vector<Branch>& captures = nodes_[node].captures;
    const auto known = std::ranges::find_if(captures, [&](const Branch& branch) {
      return branch.kind == segment.front() && branch.name == segment.substr(1);
    });
    if (known != captures.end()) return known->node;
    captures.push_back({segment.front(), segment.substr(1), fresh});
  } else {
    auto& literals = nodes_[node].literals;
    const auto place = std::ranges::lower_bound(literals, segment, {},
                                                [](const auto& literal) { return literal.first; });
    if (place != literals.end() && place->first == segment) return place->second;
    literals.insert(place, {segment, fresh});
  }
  nodes_.emplace_back();
  return fresh;
}

// `rest` is the part of the path after the node's slash.
void EndpointTable::Follow(std::size_t at, std::string_view rest, Search& search) const {
  const Node& node = nodes_[at];
  const auto take = [&](std::size_t endpoint) {
    if (endpoint >= search.best) return;  // kNone is the greatest
    if (search.slash_at_end && !endpoints_[endpoint].slash_at_end) return;
    search.best = endpoint;
    search.best_captures = search.captures;
  };
  const std::string_view segment = FirstSegment(rest);
  const bool last = segment.size() == rest.size();
  const auto go_on = [&](std::size_t next) {
    if (last) {
      take(nodes_[next].endpoint);
    } else {
      Follow(next, rest.substr(segment.size() + 1), search);
    }
  };
  const auto literal = std::ranges::lower_bound(node.literals, segment, {},
                                                [](const auto& known) { return known.first; });
  if (literal != node.literals.end() && literal->first == segment) go_on(literal->second);
  for (const Branch& branch : node.captures) {
    if (!Takes(branch.kind, segment)) continue;
    search.captures.Push(branch.name, segment);
    go_on(branch.node);
    search.captures.Pop();
  }
  for (const Rest& tail : node.rests) {
    if (rest.size() <= tail.suffix.size() || !rest.ends_with(tail.suffix)) continue;
    search.captures.Push(tail.name, rest.substr(0, rest.size() - tail.suffix.size()));
    take(tail.endpoint);
    search.captures.Pop();
  }
}

EndpointTable::Match EndpointTable::Find(std::string_view path) const {
  Search search;
  search.slash_at_end = path.ends_with('/');
  if (search.slash_at_end) path.remove_suffix(1);
  Follow(0, path, search);
  Match match;
  if (search.best == kNone) return match;
  match.endpoint = &endpoints_[search.best];
  match.captures = search.best_captures;
  return match;
}

}  // namespace coffer::api
