#!/bin/bash
# The http room's constant answer beside Pistache's own hello world, over HTTP and HTTPS, in interleaved windows of one run; and an
# encryption beside them. 1 KiB POSTs over connections that are kept alive (wrk, 1 thread, 8 connections).
#   bench/front_door.sh [SVG]   windows of 5 s, five rounds; draws the medians as SVG
#   bench/front_door.sh --smoke one round of 1 s windows; fails only where something did not run
# Needs: wrk and a release build (cmake --preset release). COFFER_BUILD names another.
set -euo pipefail

source "$(dirname "$0")/scratch.sh"
seconds=5 rounds=5 smoke= svg=
case ${1:-} in
  --smoke) seconds=1 rounds=1 smoke=1 ;;
  *) svg=${1:-} ;;
esac

# serve NAME COMMAND...: starts it; its log is $dir/NAME.
serve() {
  local name=$1
  shift
  "$@" >"$dir/$name" 2>&1 &
  pids+=($!)
  wait_for "$dir/$name" "${ready:-^127\.0\.0\.1:[0-9]+}" "${pids[-1]}" >/dev/null
}
port_of() { grep -aoEm1 '127\.0\.0\.1:[0-9]+' "$dir/$1" | cut -d: -f2; }

printf 'Hello, World!' >"$dir/hello"
printf '{"plaintext":"%s"}' "$(head -c 768 /dev/zero | base64 -w0)" >"$dir/body"
ready='^coffer is ready' serve coffer "$build/coffer" server -dev -dev-tls -dev-root-token-id=root \
  -dev-listen-address=127.0.0.1:0 -data="$dir/data"
certificate=$dir/data/tls-cert.pem key=$dir/data/tls-key.pem
serve pistache "$build/bench/pistache_hello" "$dir/hello"
serve pistache-tls "$build/bench/pistache_hello" "$dir/hello" "$certificate" "$key"
serve constant "$build/bench/constant_server" "$dir/hello"
serve constant-tls "$build/bench/constant_server" "$dir/hello" "$certificate" "$key"

# window SCHEME NAME [PATH]: requests per second, all of them answered 2xx. Pistache keeps only those
# connections whose requests say so.
window() {
  local rate bad
  TOKEN=root BODY=$dir/body wrk -t1 -c8 "-d${seconds}s" -H 'Connection: keep-alive' -s "$root/bench/post.lua" \
    "$1://127.0.0.1:$(port_of "$2")${3:-/}" >"$dir/wrk" || die "wrk: $(cat "$dir/wrk")"
  read -r rate bad < <(sed -n 's/^RESULT //p' "$dir/wrk")
  [[ $bad == 0 && $rate != 0.0 ]] || die "$bad answers of $2 were errors (rate $rate)"
  echo "$rate"
}

echo "round pistache/s constant/s pistache-tls/s constant-tls/s encrypt-tls/s"
for ((round = 1; round <= rounds; round++)); do
  echo "$round $(window http pistache) $(window http constant) $(window https pistache-tls)" \
    "$(window https constant-tls) $(window https coffer /v1/transit/encrypt/bench)"
done | tee "$dir/rounds"
python3 "$root/bench/front_door_plot.py" "$dir/rounds" ${smoke:+--no-verdict} ${svg:+"$svg"}
