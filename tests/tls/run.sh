#!/bin/bash
# Has sslyze look at the server's TLS, with a certificate of -dev-tls: it must comply with Mozilla's
# "intermediate" configuration, and no known attack may work.
# usage: tests/tls/run.sh [BINARY]      default build/release/coffer
# Ends with: N passed, N failed, N skipped
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

binary=$(realpath "${1:-${COFFER_BINARY:-build/release/coffer}}")
[ -x "$binary" ] || { echo "there is no server at $binary: build it first" >&2; exit 2; }

# The environment is made anew when what is pinned changes.
venv=build/tls-venv
if ! cmp -s tests/tls/requirements.txt "$venv/installed"; then
  rm -rf "$venv"
  python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/tls/requirements.txt &&
    cp tests/tls/requirements.txt "$venv/installed" || exit 1
fi

dir=$(mktemp -d)
"$binary" server -dev -dev-no-store-token -dev-tls -data="$dir/data" -dev-listen-address=127.0.0.1:0 >"$dir/log" 2>&1 &
server=$!
stop() { kill "$server" 2>/dev/null && wait "$server"; rm -rf "$dir"; }
trap stop EXIT
# Ends with the line that says it is ready, or with the server itself.
grep -q -m 1 '^coffer is ready' < <(timeout 120 tail -n +1 -f --pid="$server" "$dir/log" 2>/dev/null) ||
  { cat "$dir/log" >&2; exit 1; }
port=$(sed -n 's/^listening on https:.*:\([0-9]*\)$/\1/p' "$dir/log")

"$venv/bin/sslyze" --mozilla_config=intermediate --early_data --certinfo_ca_file="$dir/data/tls-ca.pem" \
  --json_out="$dir/found.json" "localhost:$port" >"$dir/scan"
complies=$?
cat "$dir/scan"
"$venv/bin/python" tests/tls/judge.py "$dir/found.json" "$complies"
