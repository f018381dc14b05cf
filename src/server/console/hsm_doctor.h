#pragma once

#include "coffer/base/result.h"
#include "server/console/console_command.h"

namespace coffer::server {

struct DoctorFlags {
  bool quick = false;          // every operation once, without speeds
  bool token_objects = false;  // on tokens that make no session objects
};

// `coffer hsm doctor`: what the token does, found by doing it; a table or JSON.
Status DoctorHsm(Console& console, const DoctorFlags& flags);

}  // namespace coffer::server
