# Sourced by the benchmarks: where they are, a folder that goes with the script, and so do the processes in `pids`.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${COFFER_BUILD:-$root/build/release}
dir=$(mktemp -d)
pids=()

cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap cleanup EXIT

die() {
  echo "$(basename "$0" .sh): $*" >&2
  exit 1
}

# wait_for FILE REGEX PID: the first match of REGEX in FILE, which process PID writes.
wait_for() {
  local n
  for ((n = 0; n < 300; n++)); do
    grep -aoEm1 "$2" "$1" && return
    kill -0 "$3" 2>/dev/null || die "a server ended early: $(tail -n 3 "$1")"
    sleep 0.1
  done
  die "no \"$2\" after 30 s"
}
