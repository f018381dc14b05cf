#include "server/console_watch.h"

#include <unistd.h>

#include <optional>

#include "server/serve_command.h"

namespace coffer::server {
namespace {

using Steady = std::chrono::steady_clock;

keyring::TokenWatch::Reactions Reactions(Logger& logger) {
  keyring::TokenWatch::Reactions reactions;
  reactions.on_change = [](std::size_t, bool) {};  // the watch has said so
  reactions.on_hang = [&logger](std::size_t) {
    logger.Log(LogLevel::kError, "server", "the token does not answer: see to it, then try again");
    logger.Flush(std::chrono::seconds(1));
    ::_exit(kTokenHangsExit);
  };
  return reactions;
}

}  // namespace

ConsoleWatch::Mark::Mark(Begun& place) : begun(place) {
  begun.store(std::chrono::nanoseconds(Steady::now().time_since_epoch()).count());
}

ConsoleWatch::ConsoleWatch(Logger& logger, keyring::TokenWatch::Limits limits)
    : watch_(limits, Reactions(logger), logger) {
  watch_.Add("console", [this]() -> std::optional<Steady::time_point> {
    const std::int64_t begun = begun_.load();
    if (begun == 0) return std::nullopt;
    return Steady::time_point(
        std::chrono::duration_cast<Steady::duration>(std::chrono::nanoseconds(begun)));
  });
  watch_.Start();
}

}  // namespace coffer::server
