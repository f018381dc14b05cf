#!/bin/bash
# What the audit trail costs: encryptions of 1 KiB with an audit device and without one, in windows
# that take turns, so that a machine that slows down slows both sides.
#   bench/audit.sh            windows of 2 s, fifteen rounds, judged against the goal
#   bench/audit.sh --smoke    windows of 1 s, one round
# Needs: wrk, curl and a release build (cmake --preset release). COFFER_BUILD names another.
set -euo pipefail

source "$(dirname "$0")/scratch.sh"
seconds=2 rounds=15 smoke=
if [[ ${1:-} == --smoke ]]; then seconds=1 rounds=1 smoke=1; fi

token=root
"$build/coffer" server -dev -dev-root-token-id="$token" -dev-listen-address=127.0.0.1:0 \
  -data="$dir/data" >"$dir/log" 2>&1 &
pids+=($!)
wait_for "$dir/log" 'coffer is ready' "${pids[0]}" >/dev/null
address=$(grep -oEm1 'http://[0-9.:]+' "$dir/log")

call() { curl -sS --fail -H "X-Vault-Token: $token" -X "$1" ${3:+-d "$3"} "$address/v1/$2"; }
call POST transit/keys/bench '{}' >/dev/null
printf '{"plaintext":"%s"}' "$(head -c 1024 /dev/zero | base64 -w0)" >"$dir/encrypt"

# window: requests per second, all of them answered 2xx.
window() {
  TOKEN=$token BODY=$dir/encrypt wrk -t1 -c8 "-d${seconds}s" -s "$root/bench/post.lua" \
    "$address/v1/transit/encrypt/bench" >"$dir/wrk"
  local rate bad
  read -r rate bad < <(sed -n 's/^RESULT //p' "$dir/wrk")
  [[ ${bad:-1} == 0 && $rate != 0.0 ]] || die "answers were errors: $(cat "$dir/wrk")"
  echo "$rate"
}

window >/dev/null
echo "round without/s with/s"
for ((round = 1; round <= rounds; round++)); do
  off=$(window)
  call POST "sys/audit/bench$round" "{\"type\":\"file\",\"options\":{\"file_path\":\"bench$round.log\"}}"
  on=$(window)
  call DELETE "sys/audit/bench$round"
  echo "$round $off $on"
done | tee "$dir/rounds"

awk -v smoke="$smoke" '
  { off += $2; on += $3; n++ }
  END {
    cost = 100 * (1 - on / off)
    printf "mean %.0f without, %.0f with: the trail costs %.1f %%", off / n, on / n, cost
    if (smoke == "") printf "  goal 25: %s", (cost <= 25 ? "pass" : "fail")
    printf "\n"
    exit (smoke == "" && cost > 25)
  }' "$dir/rounds"
