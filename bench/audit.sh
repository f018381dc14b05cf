#!/bin/bash
# Measures the audit trail's cost: encryptions of 1 KiB with a file device and without one, in windows that take turns, so that a machine
# that slows down slows both sides.
#   bench/audit.sh [--smoke] [--against BUILD] [--latency MICROSECONDS]    (bench/scratch.sh says what they do)
# Fifteen rounds of 2 s windows, judged against the goal: 35 % of SoftHSM's rate, 3 % where the token takes 300 us.
# Needs: wrk, curl, python3 and a release build (cmake --preset release).
set -euo pipefail

source "$(dirname "$0")/scratch.sh"
seconds=2 rounds=15
if [[ $smoke ]]; then seconds=1 rounds=1; fi
goal=35
if ((latency >= 300)); then goal=3; fi

builds=(this)
start_coffer this "$build"
if [[ $against ]]; then
  builds+=(other)
  start_coffer other "$against"
fi
printf '{"plaintext":"%s"}' "$(head -c 1024 /dev/zero | base64 -w0)" >"$dir/encrypt"
encrypt() { window "${address[$1]}/v1/transit/encrypt/bench" "$dir/encrypt"; }
for name in "${builds[@]}"; do
  call "$name" POST transit/keys/bench '{}' >/dev/null
  encrypt "$name" >/dev/null
done

declare -A on
for ((round = 1; round <= rounds; round++)); do
  for name in "${builds[@]}"; do
    off=$(encrypt "$name")
    call "$name" POST "sys/audit/bench$round" "{\"type\":\"file\",\"options\":{\"file_path\":\"bench$round.log\"}}"
    on[$name]=$(encrypt "$name")
    call "$name" DELETE "sys/audit/bench$round"
    echo "$name-with/without ${on[$name]} $off"
  done
  if [[ $against ]]; then echo "this/other-with ${on[this]} ${on[other]}"; fi
done >"$dir/rounds"
"$root/bench/paired.py" "$dir/rounds" first/s second/s | tee "$dir/medians"
awk -v smoke="$smoke" -v goal="$goal" '
  $1 == "this-with/without" { cost = 100 * (1 - $4) }
  END {
    printf "the trail costs %.1f %%", cost
    if (smoke == "") printf "  goal %d: %s", goal, (cost <= goal ? "pass" : "fail")
    printf "\n"
    exit (smoke == "" && cost > goal)
  }' "$dir/medians"
