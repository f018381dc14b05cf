#include "server/start_check.h"

#include <array>
#include <filesystem>
#include <string_view>

#include "server/trusted_path.h"

namespace coffer::server {
namespace {

struct Place {
  std::string_view what;
  const std::filesystem::path& path;
};

}  // namespace

Status CheckPlaces(const Config& config) {
  const std::array places{
      Place{"the module", config.token.module},
      Place{"the softhsm configuration", config.softhsm_config},
      Place{"the PIN file", config.pin_file},
      Place{"the SO PIN file", config.so_pin_file},
      Place{"the data directory", config.data_directory},
      Place{"the token directory", config.token.objects_directory},
      Place{"the directory of module copies", config.token.copies_directory},
  };
  for (const Place& place : places) {
    if (!place.path.empty()) COFFER_TRY(CheckTrustedPath(place.what, place.path));
  }
  return {};
}

}  // namespace coffer::server
