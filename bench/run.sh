#!/bin/bash
# Measures the server against what limits it, or against another build, in windows that take turns, so that a machine that slows
# down slows both sides of a ratio.
#   bench/run.sh [--smoke] [--against BUILD] [--latency MICROSECONDS]    (bench/scratch.sh says what they do)
# Three rounds of 5 s windows, judged against the goals. With --against: nine rounds of 2 s windows, and nothing else is measured.
# Needs: wrk, curl, python3 and a release build (cmake --preset release).
set -euo pipefail

source "$(dirname "$0")/scratch.sh"
seconds=5 rounds=3
if [[ $against ]]; then seconds=2 rounds=9; fi
if [[ $smoke ]]; then seconds=1 rounds=1; fi

# Operation, path below transit, requests of a batch.
operations=(
  "encrypt encrypt/bench 1"
  "decrypt decrypt/bench 1"
  "encrypt-items encrypt/bench 100"
  "sign sign/sign-bench 1"
  "sign-items sign/sign-bench 100"
  "verify-items verify/sign-bench 100"
  "hmac-items hmac/bench 100"
)

batch() { # FILE: what FILE's lines hold as a batch
  printf '{"batch_input":[%s]}' "$(paste -sd, "$1")"
}
post() { # NAME PATH FILE
  curl -sS --fail -H "X-Vault-Token: $token" --data-binary "@$3" "${address[$1]}/v1/transit/$2"
}
expect() { # COUNT TEXT FILE
  [[ $(grep -oF "$2" "$3" | wc -l) == "$1" ]] || die "not $1 times $2 in an answer"
}

small=$(head -c 64 /dev/zero | base64 -w0)
# prepare NAME: its keys, and the body of each operation in the file $dir/NAME-OPERATION.
prepare() {
  local name=$1 to=$dir/$1 n
  call "$name" POST sys/mounts/transit '{"type":"transit"}' >/dev/null 2>&1 || true
  call "$name" POST transit/keys/bench '{}' >/dev/null
  call "$name" POST transit/keys/sign-bench '{"type":"ecdsa-p256"}' >/dev/null
  printf '{"plaintext":"%s"}' "$(head -c 1024 /dev/zero | base64 -w0)" >"$to-encrypt"
  post "$name" encrypt/bench "$to-encrypt" >"$to-answer"
  printf '{%s}' "$(grep -oE '"ciphertext":"[^"]+"' "$to-answer")" >"$to-decrypt"
  printf '{"input":"%s"}' "$small" >"$to-sign"
  for ((n = 0; n < 100; n++)); do printf '{"plaintext":"%s"}\n' "$small"; done >"$to-lines"
  batch "$to-lines" >"$to-encrypt-items"
  sed -i 's/plaintext/input/' "$to-lines"
  batch "$to-lines" | tee "$to-sign-items" >"$to-hmac-items"
  post "$name" sign/sign-bench "$to-sign-items" >"$to-signed"
  grep -oE '"signature":"[^"]+"' "$to-signed" | sed "s|.*|{\"input\":\"$small\",&}|" >"$to-lines"
  batch "$to-lines" >"$to-verify-items"
  post "$name" encrypt/bench "$to-encrypt-items" >"$to-batch"
  expect 100 '"ciphertext":"' "$to-batch"
  expect 100 '"signature":"' "$to-signed"
  post "$name" verify/sign-bench "$to-verify-items" >"$to-verified"
  expect 100 '"valid":true' "$to-verified"
}
measure() { # NAME OPERATION PATH ITEMS: operations per second
  local rate
  rate=$(window "${address[$1]}/v1/transit/$3" "$dir/$1-$2")
  awk "BEGIN { printf \"%.0f\", $rate * $4 }"
}

start_coffer this "$build"
prepare this

if [[ $against ]]; then
  start_coffer other "$against"
  prepare other
  for ((round = 1; round <= rounds; round++)); do
    for operation in "${operations[@]}"; do
      read -r name path items <<<"$operation"
      this=$(measure this "$name" "$path" "$items")
      other=$(measure other "$name" "$path" "$items")
      echo "$name $this $other"
    done
  done >"$dir/rounds"
  "$root/bench/paired.py" "$dir/rounds" this/s other/s
  exit
fi

"$build/bench/constant_server" "$dir/this-answer" >"$dir/constant.log" 2>&1 &
pids+=($!)
constant=http://$(wait_for "$dir/constant.log" '127\.0\.0\.1:[0-9]+' "${pids[-1]}")

echo "round constant $(printf '%s\n' "${operations[@]}" | cut -d' ' -f1 | paste -sd' ')" \
  "token-64B token-1KiB token-sign openssl-verify token-hmac (all per second)"
for ((round = 1; round <= rounds; round++)); do
  line="$round $(window "$constant/v1/transit/encrypt/bench" "$dir/this-encrypt")"
  for operation in "${operations[@]}"; do
    read -r name path items <<<"$operation"
    line+=" $(measure this "$name" "$path" "$items")"
  done
  raw=$("$build/bench/token_rate" "$(awk "BEGIN { print $seconds / 2 }")" ${fake_token:+"$fake_token"})
  echo "$line $(grep -oE '[0-9]+[,}]' <<<"${raw#*,}" | tr -d ',}' | tr '\n' ' ')"
done | tee "$dir/rounds"

awk -v smoke="$smoke" -v latency="$latency" '
  { for (i = 2; i <= 14; i++) mean[i] += $i }
  function judge(name, ratio, goal) {
    printf "%-52s %.2f", name, ratio
    if (smoke == "" && latency == 0) printf "  goal %.1f: %s", goal, (ratio >= goal ? "pass" : "fail")
    printf "\n"
  }
  function show(name, ratio) { printf "%-52s %.2f\n", name, ratio }
  END {
    printf "mean "
    for (i = 2; i <= 14; i++) printf " %.0f", mean[i] / NR
    printf "\n"
    judge("encrypt 1 KiB / constant answer", mean[3] / mean[2], 0.5)
    judge("batch items 64 B / token alone", mean[5] / mean[10], 0.6)
    judge("ecdsa-p256 items / token alone", mean[7] / mean[12], 0.6)
    show("ecdsa-p256 verified items / OpenSSL alone", mean[8] / mean[13])
    show("hmac items 64 B / token alone", mean[9] / mean[14])
  }' "$dir/rounds"
