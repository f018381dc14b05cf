#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "coffer/http/server.h"
#include "coffer/keyring/key_ring.h"
#include "coffer/keyring/token_setup.h"

namespace coffer::server {

// Everything a running server is told. Dev mode makes one; nothing behind it knows which mode it
// is.
struct Config {
  std::filesystem::path data_directory;
  std::vector<http::Listener> listeners;
  std::size_t workers = 2;
  keyring::TokenLocation token;
  std::filesystem::path pin_file;
  std::filesystem::path so_pin_file;
  bool make_token = false;                // first start: make token, masters and the first mount
  std::optional<std::string> root_token;  // the root token's wanted value
  keyring::StartPolicy start_policy;
  std::chrono::milliseconds drain_deadline{10'000};
};

}  // namespace coffer::server
