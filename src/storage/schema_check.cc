#include "storage/schema_check.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coffer/base/logger.h"
#include "storage/migrations.h"

namespace coffer::storage {
namespace {

// Type and name of each thing in the schema, and the SQL text that made it.
using Things = std::map<std::pair<std::string, std::string>, std::string>;

Result<Things> ReadThings(Connection& connection) {
  COFFER_ASSIGN(Statement select,
                connection.Prepare("SELECT type, name, tbl_name || ': ' || coalesce(sql, '') "
                                   "FROM sqlite_schema"));
  Things things;
  while (true) {
    COFFER_ASSIGN(const bool more, select.Step());
    if (!more) return things;
    things[{select.Text(0), select.Text(1)}] = select.Text(2);
  }
}

Result<std::set<std::pair<std::string, std::int64_t>>> ReadSteps(Connection& connection) {
  std::set<std::pair<std::string, std::int64_t>> steps;
  COFFER_ASSIGN(const bool exists, HasMigrations(connection));
  if (!exists) return steps;
  COFFER_ASSIGN(Statement select, connection.Prepare("SELECT room, step FROM schema_migrations"));
  while (true) {
    COFFER_ASSIGN(const bool more, select.Step());
    if (!more) return steps;
    steps.emplace(select.Text(0), select.Int(1));
  }
}

}  // namespace

Status CompareSchema(Connection& connection, std::span<const Migration> migrations) {
  COFFER_ASSIGN(const Things found, ReadThings(connection));
  COFFER_ASSIGN(const auto steps, ReadSteps(connection));
  std::vector<Migration> applied;
  for (const Migration& migration : migrations) {
    if (steps.contains({std::string(migration.room), migration.step})) applied.push_back(migration);
  }
  Things made;
  if (!found.empty()) {
    COFFER_ASSIGN(const auto model, Connection::OpenInMemory());
    NullLogger nowhere;
    COFFER_TRY(Migrate(*model, applied, nowhere));
    COFFER_ASSIGN(made, ReadThings(*model));
  }
  if (found == made) return {};
  std::string which;
  for (const auto& [thing, sql] : found) {
    const auto other = made.find(thing);
    if (other != made.end() && other->second == sql) continue;
    which += (which.empty() ? "" : ", ") + thing.first + " " + thing.second;
  }
  for (const auto& [thing, sql] : made) {
    if (found.contains(thing)) continue;
    which += (which.empty() ? "no " : ", no ") + thing.first + " " + thing.second;
  }
  return Fail(Code::kCorrupt, "the schema of the database is not what coffer makes (" + which +
                                  "): restore a backup");
}

Result<std::int64_t> SchemaNumber(Connection& connection) {
  COFFER_ASSIGN(Statement read, connection.Prepare("PRAGMA schema_version"));
  COFFER_ASSIGN(const bool row, read.Step());
  if (!row) return Fail(Code::kInternal, "database error", "no schema version");
  return read.Int(0);
}

}  // namespace coffer::storage
