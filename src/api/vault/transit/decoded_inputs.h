#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "coffer/base/result.h"

namespace coffer::api {

// The inputs of a batch as the engine takes them, and the place of the result of each. An input
// that could not be decoded has its result already.
template <typename Item, typename Output>
struct Decoded {
  std::vector<Item> items;
  std::vector<std::size_t> places;
  std::vector<Result<Output>> results;

  // Puts the results of the engine for the items from `first` on into the places of their inputs.
  void Place(std::vector<Result<Output>>& outputs, std::size_t first) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      results[places[first + i]] = std::move(outputs[i]);
    }
  }
};

template <typename Item, typename Output, typename Input, typename Decode>
Decoded<Item, Output> DecodeInputs(const std::vector<Input>& inputs, Decode decode) {
  Decoded<Item, Output> decoded;
  decoded.results.resize(inputs.size());
  decoded.items.reserve(inputs.size());
  decoded.places.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Result<Item> item = decode(inputs[i]);
    if (!item) {
      decoded.results[i] = Fail(std::move(item).error());
      continue;
    }
    if constexpr (requires { item->number; }) item->number = i;
    decoded.items.push_back(std::move(*item));
    decoded.places.push_back(i);
  }
  return decoded;
}

}  // namespace coffer::api
