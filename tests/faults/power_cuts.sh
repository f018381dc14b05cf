#!/bin/bash
# COUNT simulated power cuts amid changes of state, with unsynced sectors lost, torn and reordered in the database, its WAL
# and the audit file: nothing acknowledged is lost. usage: power_cuts.sh COUNT
set -euo pipefail
binary=$(dirname "$(realpath "${COFFER_BINARY:-build/release/coffer}")")/tests/audit/audit_power_cuts
exec "$binary" "$1"
