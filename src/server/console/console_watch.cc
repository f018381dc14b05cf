#include "server/console/console_watch.h"

#include <unistd.h>

#include "server/serve_command.h"

namespace coffer::server {
namespace {

StallWatch::Reactions Reactions(Logger& logger) {
  StallWatch::Reactions reactions;
  reactions.on_change = [](const StallWatch::Subject&, bool) {};  // the watch has said so
  reactions.on_hang = [&logger](const StallWatch::Subject&) {
    logger.Log(LogLevel::kError, "server", "the token does not answer: see to it, then try again");
    logger.Flush(std::chrono::seconds(1));
    ::_exit(kTokenHangsExit);
  };
  return reactions;
}

}  // namespace

ConsoleWatch::ConsoleWatch(Logger& logger, StallWatch::Limits limits)
    : watch_(Reactions(logger), logger) {
  watch_.Add({.name = "console",
              .work = "a call into the token",
              .since = [this] { return clock_.Since(); },
              .limits = limits});
  watch_.Start();
}

}  // namespace coffer::server
