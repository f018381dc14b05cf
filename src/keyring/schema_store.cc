#include "keyring/keyring_store.h"

namespace coffer::keyring::store {
namespace {

constexpr std::string_view kSchemaV1 = R"sql(
CREATE TABLE keyring_identity (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  database_id BLOB NOT NULL
);
CREATE TABLE keyring_state (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  database_id BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  keys INTEGER NOT NULL,
  sum BLOB NOT NULL,
  mac BLOB NOT NULL
);
CREATE TABLE keys (
  id BLOB PRIMARY KEY,
  mount BLOB NOT NULL,
  name TEXT NOT NULL,
  type INTEGER NOT NULL,
  created INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  latest_version INTEGER NOT NULL,
  min_decryption_version INTEGER NOT NULL,
  min_encryption_version INTEGER NOT NULL,
  min_available_version INTEGER NOT NULL,
  deletion_allowed INTEGER NOT NULL,
  allow_plaintext_backup INTEGER NOT NULL,
  soft_deleted INTEGER NOT NULL,
  rotation_required INTEGER NOT NULL,
  auto_rotate_period INTEGER NOT NULL,
  derived INTEGER NOT NULL,
  convergent INTEGER NOT NULL,
  hmac_octets INTEGER NOT NULL,
  imported INTEGER NOT NULL,
  allow_imported_rotation INTEGER NOT NULL,
  mac BLOB NOT NULL,
  UNIQUE (mount, name)
);
CREATE INDEX keys_auto_rotate ON keys (auto_rotate_period) WHERE auto_rotate_period > 0;
CREATE TABLE key_versions (
  key BLOB NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  type INTEGER NOT NULL,
  custody INTEGER NOT NULL,
  kdf INTEGER NOT NULL,
  master TEXT NOT NULL,
  created INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  blob BLOB NOT NULL,
  hmac_master TEXT NOT NULL,
  hmac_blob BLOB NOT NULL,
  spki BLOB NOT NULL,
  locator BLOB NOT NULL,
  mac BLOB NOT NULL,
  PRIMARY KEY (key, version)
);
CREATE TABLE key_counters (
  key BLOB NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  reserved INTEGER NOT NULL,
  PRIMARY KEY (key, version)
);
CREATE TABLE resident_objects (
  locator BLOB PRIMARY KEY,
  key BLOB NOT NULL,
  version INTEGER NOT NULL,
  state INTEGER NOT NULL
);
)sql";

constexpr std::string_view kSchemaV2 = R"sql(
ALTER TABLE keys ADD COLUMN exportable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE key_versions ADD COLUMN imported_through INTEGER NOT NULL DEFAULT 0;
ALTER TABLE key_versions ADD COLUMN certificate_chain TEXT NOT NULL DEFAULT '';
)sql";

// Counters under MACs; the sums over keys are storage's.
constexpr std::string_view kSchemaV3 = R"sql(
ALTER TABLE key_counters RENAME TO former_counters;
CREATE TABLE key_counters (
  key BLOB NOT NULL,
  version INTEGER NOT NULL,
  reserved INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  mac BLOB NOT NULL,
  PRIMARY KEY (key, version)
) STRICT, WITHOUT ROWID;
INSERT INTO key_counters SELECT key, version, reserved, 0, x'' FROM former_counters;
DROP TABLE former_counters;
)sql";

constexpr std::string_view kSchemaV4 = R"sql(
ALTER TABLE keys ADD COLUMN resident INTEGER NOT NULL DEFAULT 0;
)sql";

std::vector<const storage::TableShape*> Tables() { return {&KeysShape(), &CounterShape()}; }

}  // namespace

std::vector<storage::Migration> Schema() {
  return {{"keyring", 1, kSchemaV1},
          {"keyring", 2, kSchemaV2},
          {"keyring", 3, kSchemaV3, Tables},
          {"keyring", 4, kSchemaV4}};
}

}  // namespace coffer::keyring::store
