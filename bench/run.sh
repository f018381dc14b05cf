#!/bin/bash
# Measures the server against what limits it, in interleaved windows of one run, so that a machine
# that slows down slows both sides of a ratio.
#   bench/run.sh            windows of 5 s, three rounds, judged against the goals
#   bench/run.sh --smoke    windows of 1 s, one round; fails only where something did not run or an
#                           answer was not 2xx
# Needs: wrk, curl and a release build (cmake --preset release). COFFER_BUILD names another.
set -euo pipefail

source "$(dirname "$0")/scratch.sh"
seconds=5 rounds=3 smoke=
if [[ ${1:-} == --smoke ]]; then seconds=1 rounds=1 smoke=1; fi

token=root
"$build/coffer" server -dev -dev-root-token-id="$token" -dev-listen-address=127.0.0.1:0 \
  -data="$dir/data" >"$dir/coffer.log" 2>&1 &
pids+=($!)
wait_for "$dir/coffer.log" 'coffer is ready' "${pids[0]}" >/dev/null
coffer=$(wait_for "$dir/coffer.log" 'listening on http://[0-9.:]+' "${pids[0]}")
coffer=${coffer#listening on }

call() { curl -sS --fail -H "X-Vault-Token: $token" -X POST --data-binary "@$2" "$coffer/v1/$1"; }

echo '{"type":"transit"}' >"$dir/mount"
call sys/mounts/transit "$dir/mount" >/dev/null 2>&1 || true
echo '{}' >"$dir/empty"
call transit/keys/bench "$dir/empty" >/dev/null
plaintext=$(head -c 1024 /dev/zero | base64 -w0)
small=$(head -c 64 /dev/zero | base64 -w0)
printf '{"plaintext":"%s"}' "$plaintext" >"$dir/encrypt"
call transit/encrypt/bench "$dir/encrypt" >"$dir/answer"
printf '{%s}' "$(grep -oE '"ciphertext":"[^"]+"' "$dir/answer")" >"$dir/decrypt"
items=$(for ((i = 0; i < 100; i++)); do printf ',{"plaintext":"%s"}' "$small"; done)
printf '{"batch_input":[%s]}' "${items:1}" >"$dir/batch"
call transit/encrypt/bench "$dir/batch" >"$dir/batch-answer"
[[ $(grep -o '"ciphertext":"' "$dir/batch-answer" | wc -l) == 100 ]] ||
  die "the batch was not answered in full"

echo '{"type":"ecdsa-p256"}' >"$dir/ecdsa"
call transit/keys/sign-bench "$dir/ecdsa" >/dev/null
items=$(for ((i = 0; i < 100; i++)); do printf ',{"input":"%s"}' "$small"; done)
printf '{"batch_input":[%s]}' "${items:1}" >"$dir/sign"
call transit/sign/sign-bench "$dir/sign" >"$dir/sign-answer"
[[ $(grep -o '"signature":"' "$dir/sign-answer" | wc -l) == 100 ]] ||
  die "the batch of messages to sign was not answered in full"
items=$(grep -oE '"signature":"[^"]+"' "$dir/sign-answer" | sed "s|.*|,{\"input\":\"$small\",&}|" | tr -d '\n')
printf '{"batch_input":[%s]}' "${items:1}" >"$dir/verify"
call transit/verify/sign-bench "$dir/verify" >"$dir/verify-answer"
[[ $(grep -o '"valid":true' "$dir/verify-answer" | wc -l) == 100 ]] || die "not all of the batch was valid"

"$build/bench/constant_server" "$dir/answer" >"$dir/constant.log" 2>&1 &
pids+=($!)
constant=http://$(wait_for "$dir/constant.log" '127\.0\.0\.1:[0-9]+' "${pids[1]}")

# window URL BODY: requests per second, all of them answered 2xx.
window() {
  TOKEN=$token BODY=$2 wrk -t1 -c8 "-d${seconds}s" -s "$root/bench/post.lua" "$1" >"$dir/wrk"
  local rate bad
  read -r rate bad < <(sed -n 's/^RESULT //p' "$dir/wrk")
  [[ -n ${rate:-} ]] || die "wrk gave no result: $(cat "$dir/wrk")"
  [[ $bad == 0 && $rate != 0.0 ]] || die "$bad answers of $1 were errors (rate $rate)"
  echo "$rate"
}

echo "round constant/s encrypt/s decrypt/s batch-items/s sign-items/s verify-items/s hmac-items/s" \
  "token-64B/s token-1KiB/s token-sign/s token-sign+check/s openssl-verify/s token-hmac/s"
for ((round = 1; round <= rounds; round++)); do
  c=$(window "$constant/v1/transit/encrypt/bench" "$dir/encrypt")
  e=$(window "$coffer/v1/transit/encrypt/bench" "$dir/encrypt")
  d=$(window "$coffer/v1/transit/decrypt/bench" "$dir/decrypt")
  b=$(window "$coffer/v1/transit/encrypt/bench" "$dir/batch")
  s=$(window "$coffer/v1/transit/sign/sign-bench" "$dir/sign")
  v=$(window "$coffer/v1/transit/verify/sign-bench" "$dir/verify")
  h=$(window "$coffer/v1/transit/hmac/bench" "$dir/sign")
  raw=$("$build/bench/token_rate" "$(awk "BEGIN { print $seconds / 2 }")")
  echo "$round $c $e $d $(awk "BEGIN { print $b * 100, $s * 100, $v * 100, $h * 100 }")" \
    "$(grep -oE '[0-9]+[,}]' <<<"${raw#*,}" | tr -d ',}' | tr '\n' ' ')"
done | tee "$dir/rounds"

awk -v smoke="$smoke" '
  { for (i = 2; i <= 14; i++) mean[i] += $i }
  function judge(name, ratio, goal) {
    printf "%-52s %.2f", name, ratio
    if (smoke == "") printf "  goal %.1f: %s", goal, (ratio >= goal ? "pass" : "fail")
    printf "\n"
  }
  function show(name, ratio) { printf "%-52s %.2f\n", name, ratio }
  END {
    printf "mean "
    for (i = 2; i <= 14; i++) printf " %.0f", mean[i] / NR
    printf "\n"
    judge("encrypt 1 KiB / constant answer", mean[3] / mean[2], 0.5)
    judge("batch items 64 B / token alone", mean[5] / mean[9], 0.6)
    judge("ecdsa-p256 items / token alone", mean[6] / mean[11], 0.6)
    show("ecdsa-p256 items / token signs and they are checked", mean[6] / mean[12])
    show("ecdsa-p256 verified items / OpenSSL alone", mean[7] / mean[13])
    show("hmac items 64 B / token alone", mean[8] / mean[14])
  }' "$dir/rounds"
