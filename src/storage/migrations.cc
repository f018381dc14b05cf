#include "storage/migrations.h"

#include <map>
#include <string>

#include "storage/schema_check.h"

namespace coffer::storage {
namespace {

using StepsOfRoom = std::map<std::string, std::map<std::int64_t, std::string_view>>;

Result<StepsOfRoom> Arrange(std::span<const Migration> migrations) {
  StepsOfRoom rooms;
  for (const Migration& migration : migrations) {
    if (!rooms[std::string(migration.room)].emplace(migration.step, migration.sql).second) {
      return Fail(Code::kInternal, "database error",
                  "a migration step of " + std::string(migration.room) + " is declared twice");
    }
  }
  for (const auto& [room, steps] : rooms) {
    if (steps.begin()->first != 1 ||
        steps.rbegin()->first != static_cast<std::int64_t>(steps.size())) {
      return Fail(Code::kInternal, "database error",
                  "the migration steps of " + room + " are not 1 to N");
    }
  }
  return rooms;
}

// Takes the steps already in the database out of `rooms`.
Status DropApplied(Connection& writer, StepsOfRoom& rooms) {
  COFFER_ASSIGN(const bool exists, HasMigrations(writer));
  if (!exists) return {};
  COFFER_ASSIGN(Statement applied, writer.Prepare("SELECT room, step FROM schema_migrations"));
  while (true) {
    COFFER_ASSIGN(const bool row, applied.Step());
    if (!row) return {};
    const auto room = rooms.find(applied.Text(0));
    if (room == rooms.end() || room->second.erase(applied.Int(1)) == 0) {
      return Fail(Code::kConflict,
                  "database was written by a newer coffer: install that one, or restore a backup",
                  "step " + std::to_string(applied.Int(1)) + " of " + applied.Text(0));
    }
  }
}

Status ApplyStep(Connection& writer, const std::string& room, std::int64_t step,
                 std::string_view sql) {
  COFFER_TRY(writer.Execute(std::string(sql),
                            "apply step " + std::to_string(step) + " of the schema of " + room));
  COFFER_ASSIGN(Statement record,
                writer.Prepare("INSERT INTO schema_migrations (room, step, applied_at) "
                               "VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))"));
  COFFER_TRY(record.Bind(0, room).Bind(1, step).Run());
  return {};
}

Status ApplyPending(Connection& writer, const StepsOfRoom& pending) {
  COFFER_TRY(
      writer.Execute("CREATE TABLE IF NOT EXISTS schema_migrations ("
                     "room TEXT NOT NULL, step INTEGER NOT NULL, applied_at TEXT NOT NULL, "
                     "PRIMARY KEY (room, step)) STRICT",
                     "create the table of migrations"));
  for (const auto& [room, steps] : pending) {
    for (const auto& [step, sql] : steps) COFFER_TRY(ApplyStep(writer, room, step, sql));
  }
  return {};
}

}  // namespace

Result<bool> HasMigrations(Connection& connection) {
  COFFER_ASSIGN(Statement find,
                connection.Prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' "
                                   "AND name = 'schema_migrations'"));
  return find.Step();
}

Status Migrate(Connection& writer, std::span<const Migration> migrations, Logger& logger) {
  COFFER_ASSIGN(StepsOfRoom pending, Arrange(migrations));
  COFFER_TRY(DropApplied(writer, pending));
  COFFER_TRY(CompareSchema(writer, migrations));
  std::erase_if(pending, [](const auto& room) { return room.second.empty(); });
  if (pending.empty()) return {};
  COFFER_TRY(writer.BeginImmediate());
  if (Status applied = ApplyPending(writer, pending); !applied) {
    writer.Rollback();
    return applied;
  }
  COFFER_TRY(writer.Commit());
  for (const auto& [room, steps] : pending) {
    logger.Log(LogLevel::kInfo, "storage", "schema brought up to date",
               {{"schema", room}, {"step", steps.rbegin()->first}});
  }
  return {};
}

Result<std::string> AppliedSteps(Connection& connection) {
  COFFER_ASSIGN(Statement steps, connection.Prepare("SELECT room, max(step) FROM schema_migrations "
                                                    "GROUP BY room ORDER BY room"));
  std::string text;
  while (true) {
    COFFER_ASSIGN(const bool row, steps.Step());
    if (!row) return text;
    text += (text.empty() ? "" : ", ") + steps.Text(0) + " " + std::to_string(steps.Int(1));
  }
}

}  // namespace coffer::storage
