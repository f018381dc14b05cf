#!/bin/bash
# The http room's constant answer beside Pistache's own hello world, over HTTP and HTTPS, in interleaved windows of one run; and an
# encryption beside them. 1 KiB POSTs over connections that are kept alive (wrk, 1 thread, 8 connections).
#   bench/front_door.sh [--smoke] [--against BUILD] [SVG]    (bench/scratch.sh says what they do)
# Five rounds of 5 s windows; draws the medians as SVG. With --against: eleven rounds of 2 s windows of this build and the other, which
# needs its bench/constant_server, and nothing else is measured.
# Needs: wrk, python3 and a release build (cmake --preset release).
set -euo pipefail

source "$(dirname "$0")/scratch.sh"
seconds=5 rounds=5 svg=${arguments[0]:-}
if [[ $against ]]; then seconds=2 rounds=11; fi
if [[ $smoke ]]; then seconds=1 rounds=1; fi

# serve NAME COMMAND...: starts it; address[NAME] is HOST:PORT.
serve() {
  local name=$1
  shift
  "$@" >"$dir/$name" 2>&1 &
  pids+=($!)
  address[$name]=$(wait_for "$dir/$name" '^127\.0\.0\.1:[0-9]+' "${pids[-1]}")
}

printf 'Hello, World!' >"$dir/hello"
printf '{"plaintext":"%s"}' "$(head -c 768 /dev/zero | base64 -w0)" >"$dir/body"
start_coffer this "$build" -dev-tls
certificate=$dir/this/tls-cert.pem key=$dir/this/tls-key.pem
serve constant-this "$build/bench/constant_server" "$dir/hello"
serve constant-tls-this "$build/bench/constant_server" "$dir/hello" "$certificate" "$key"

# Pistache keeps only those connections whose requests say so.
rate() { window "$1" "$dir/body" -H 'Connection: keep-alive'; }
of() { # WINDOW BUILD
  case $1 in
    constant) rate "http://${address[constant-$2]}/" ;;
    constant-tls) rate "https://${address[constant-tls-$2]}/" ;;
    encrypt-tls) rate "${address[$2]}/v1/transit/encrypt/bench" ;;
  esac
}

if [[ $against ]]; then
  start_coffer other "$against" -dev-tls
  serve constant-other "$against/bench/constant_server" "$dir/hello"
  serve constant-tls-other "$against/bench/constant_server" "$dir/hello" "$certificate" "$key"
  for ((round = 1; round <= rounds; round++)); do
    for name in constant constant-tls encrypt-tls; do
      this=$(of "$name" this)
      other=$(of "$name" other)
      echo "$name $this $other"
    done
  done >"$dir/rounds"
  "$root/bench/paired.py" "$dir/rounds" this/s other/s
  exit
fi

serve pistache "$build/bench/pistache_hello" "$dir/hello"
serve pistache-tls "$build/bench/pistache_hello" "$dir/hello" "$certificate" "$key"
echo "round pistache/s constant/s pistache-tls/s constant-tls/s encrypt-tls/s"
for ((round = 1; round <= rounds; round++)); do
  line=$round
  for at in "http pistache" "constant this" "https pistache-tls" "constant-tls this" "encrypt-tls this"; do
    read -r what name <<<"$at"
    case $what in
      http*) one=$(rate "$what://${address[$name]}/") ;;
      *) one=$(of "$what" "$name") ;;
    esac
    line+=" $one"
  done
  echo "$line"
done | tee "$dir/rounds"
python3 "$root/bench/front_door_plot.py" "$dir/rounds" ${smoke:+--no-verdict} ${svg:+"$svg"}
