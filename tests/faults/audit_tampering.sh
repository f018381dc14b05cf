#!/bin/bash
# COUNT random edits, removals, swaps, insertions and truncations of an audit file of 1,000,000 lines: each is found and named
# by its line. usage: audit_tampering.sh COUNT
set -euo pipefail
binary=$(dirname "$(realpath "${COFFER_BINARY:-build/release/coffer}")")/tests/audit/audit_tampering
exec "$binary" "$1" 1000000
