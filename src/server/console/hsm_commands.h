#pragma once

#include "server/console/console_command.h"

namespace coffer::server {

// `coffer hsm init`: the token (where SoftHSM is to make it), the masters and coffer-* objects that
// are missing, their attributes read back, and what to back up. Idempotent: goes on where another
// run ended.
Status InitHsm(Console& console);

struct DoctorFlags {
  bool quick = false;          // every operation once, without speeds
  bool token_objects = false;  // on tokens that make no session objects
};

// `coffer hsm doctor`: what the token does, found by doing it; a table or JSON.
Status DoctorHsm(Console& console, const DoctorFlags& flags);

// `coffer hsm gc`: lists the token's objects that belong to this database and to no key, and
// destroys them where `yes` or the terminal's user says so. Never a master key, nor another
// database's object.
Status CollectHsmGarbage(Console& console, bool yes);

}  // namespace coffer::server
