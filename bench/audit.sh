#!/bin/bash
# Measures the audit trail's cost: encryptions of 1 KiB with a file device and without one, in windows that take turns, so that a machine
# that slows down slows both sides.
#   bench/audit.sh [--smoke] [--against BUILD] [--latency MICROSECONDS]    (bench/scratch.sh says what they do)
# Fifteen rounds of 2 s windows, judged against the goal: 35 % of SoftHSM's rate, 3 % where the token takes 300 us. It also tells what a
# request takes of the processors, all threads of the server together: the client, which shares them, is not in that figure.
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
# used NAME: nanoseconds of the processors that the threads of the server have taken.
used() { cat "/proc/${process[$1]}"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }
# measure NAME: the rate of a window, and the microseconds of the processors for each of its requests.
measure() {
  local before after rate
  before=$(used "$1")
  rate=$(encrypt "$1")
  after=$(used "$1")
  awk -v rate="$rate" -v spent="$((after - before))" -v seconds="$seconds" \
    'BEGIN { printf "%s %.1f\n", rate, spent / 1000 / (rate * seconds) }'
}
for name in "${builds[@]}"; do
  call "$name" POST transit/keys/bench '{}' >/dev/null
  encrypt "$name" >/dev/null
done

declare -A on
for ((round = 1; round <= rounds; round++)); do
  for name in "${builds[@]}"; do
    without=$(measure "$name")
    call "$name" POST "sys/audit/bench$round" "{\"type\":\"file\",\"options\":{\"file_path\":\"bench$round.log\"}}"
    with=$(measure "$name")
    call "$name" DELETE "sys/audit/bench$round"
    on[$name]=${with% *}
    echo "$name-with/without ${on[$name]} ${without% *}"
    echo "$name-processor-us ${with#* } ${without#* }"
  done
  if [[ $against ]]; then echo "this/other-with ${on[this]} ${on[other]}"; fi
done >"$dir/rounds"
"$root/bench/paired.py" "$dir/rounds" first second | tee "$dir/medians"
awk -v smoke="$smoke" -v goal="$goal" '
  $1 == "this-with/without" { cost = 100 * (1 - $4) }
  END {
    printf "the trail costs %.1f %%", cost
    if (smoke == "") printf "  goal %d: %s", goal, (cost <= goal ? "pass" : "fail")
    printf "\n"
    exit (smoke == "" && cost > goal)
  }' "$dir/medians"
