#!/bin/bash
# Builds Coffer, starts a development server and shows the main job on real records.
# usage: scripts/run.sh [--once] [FILE]
#   FILE     records to encrypt (CSV, JSON or lines); default: the country subdivisions of iso-codes
#   --once   stop the server at the end
# COFFER_DATA    its data directory, kept between runs (default build/dev-data)
# COFFER_LISTEN  its address (default 127.0.0.1:8200; port 0: any free one)
set -euo pipefail
cd "$(dirname "$0")/.."

once=no
records=/usr/share/iso-codes/json/iso_3166-2.json
for argument in "$@"; do
  case $argument in
    --once) once=yes ;;
    -*) echo "usage: scripts/run.sh [--once] [FILE]" >&2; exit 2 ;;
    *) records=$argument ;;
  esac
done

scripts/install_packages.sh build run
[ -r "$records" ] || { echo "cannot read $records" >&2; exit 2; }

log=build/run.log
mkdir -p build
# Tests need more packages than the server: where they are not built already they are left out.
without=()
[ -x build/release/coffer ] || echo "building; from nothing it takes some minutes (two on two cores), its output goes to $log"
grep -qs '^COFFER_TESTS:.*=ON' build/release/CMakeCache.txt || without=(-DCOFFER_TESTS=OFF -DCOFFER_BENCH=OFF)

# Keeps the build's output in the log and shows how far it is: in a terminal in one line, else every 30 seconds.
progress() {
  local line shown=-30
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    if [ -t 1 ]; then
      printf '\r%d of %d steps, %d s ' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "$SECONDS"
    elif ((SECONDS >= shown + 30)); then
      echo "${BASH_REMATCH[1]} of ${BASH_REMATCH[2]} steps, $SECONDS s"
      shown=$SECONDS
    fi
  done
  if [ -t 1 ]; then printf '\r%40s\r' ""; fi
}
SECONDS=0
: >"$log"
{ cmake --preset release "${without[@]}" && cmake --build build/release --target coffer; } 2>&1 </dev/null | progress || {
  tail -n 30 "$log" >&2
  echo "the build failed; all of its output is in $log" >&2
  exit 1
}

umask 077 # the server prints its root token, so the log holds it
data=${COFFER_DATA:-build/dev-data}
mkdir -p "$data"
data=$(cd "$data" && pwd)
log=$data/server-starting.log # becomes server.log once it runs: another server's may be there
setsid build/release/coffer server -dev -data="$data" \
  -dev-listen-address="${COFFER_LISTEN:-127.0.0.1:8200}" >"$log" 2>&1 </dev/null &
server=$!
stop() { kill -TERM "$server" 2>/dev/null && wait "$server" || true; }
trap stop EXIT

# Ends with the line that says it is ready, or with the server itself.
if ! grep -q -m 1 '^coffer is ready' \
  < <(timeout 120 tail -n +1 -f --pid="$server" "$log" 2>/dev/null); then
  cat "$log" >&2
  echo "the server did not start" >&2
  exit 1
fi
address=$(sed -n 's/^listening on \(http[^ ]*\).*/\1/p' "$log" | head -n 1)
mv "$log" "$data/server.log"

VAULT_ADDR=$address VAULT_TOKEN=$(cat "$data/root-token") \
  build/release/coffer demo -data="$data" "$records"

if [ "$once" = yes ]; then
  echo "the server has ended, as --once has it: scripts/run.sh leaves it up, for what can be tried"
else
  trap - EXIT
  echo "the server runs on as process $server, its log is $data/server.log; stop it with: kill $server"
fi
