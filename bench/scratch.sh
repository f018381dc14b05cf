# Sourced by the benchmarks with their arguments: what they share. The folder `dir` goes with the script, and so do the processes in
# `pids`. All of them take:
#   --smoke                  one round of 1 s windows; fails only where something did not run or an answer was not 2xx
#   --against BUILD          another build's folder, or its coffer program: the windows take turns, this build and the other, and what
#                            is judged is the median of the ratios of neighbours
#   --latency MICROSECONDS   the token takes that much longer for each operation (tests/fakes/faulty_pkcs11_module.cc)
# COFFER_BUILD names this build (default build/release). What remains of the arguments is in `arguments`.
shopt -s inherit_errexit # a window that dies within another function's $(...) ends the script
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${COFFER_BUILD:-$root/build/release}
dir=$(mktemp -d)
pids=()
declare -A address process
token=root
smoke='' against='' latency=0 arguments=()

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

while (($#)); do
  case $1 in
    --smoke) smoke=1 ;;
    --against)
      against=${2:-}
      [[ ! -f $against ]] || against=$(dirname "$against")
      [[ -x $against/coffer ]] || die "there is no coffer program at ${2:-}"
      shift
      ;;
    --latency)
      latency=${2:-}
      [[ $latency =~ ^[0-9]{1,6}$ ]] || die "--latency takes microseconds"
      shift
      ;;
    -*) die "unknown option $1" ;;
    *) arguments+=("$1") ;;
  esac
  shift
done

fake_token=
if ((latency > 0)); then
  fake_token=$(realpath "$build")/tests/pkcs11/libfaulty_pkcs11_module.so
  [[ -f $fake_token ]] || die "the fake token is not built: cmake --build $build --target faulty_pkcs11_module"
  export COFFER_TEST_LATENCY_US=$latency
fi

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

# start_coffer NAME BUILD [FLAG...]: a development server; address[NAME] and process[NAME] are its.
start_coffer() {
  local name=$1 program=$2/coffer log=$dir/$1.log
  shift 2
  "$program" server -dev -dev-root-token-id="$token" -dev-listen-address=127.0.0.1:0 -data="$dir/$name" \
    ${fake_token:+"-dev-module=$fake_token"} "$@" >"$log" 2>&1 &
  process[$name]=$!
  pids+=($!)
  wait_for "$log" 'coffer is ready' "${pids[-1]}" >/dev/null
  address[$name]=$(grep -aoEm1 'https?://[0-9.]+:[0-9]+' "$log")
}

# call NAME METHOD PATH [BODY]
call() { curl -sS --fail -H "X-Vault-Token: $token" -X "$2" ${4:+-d "$4"} "${address[$1]}/v1/$3"; }

# window URL BODYFILE [OPTION...]: requests per second, all of them answered 2xx. wrk gets the options.
window() {
  local url=$1 body=$2 rate bad
  shift 2
  TOKEN=$token BODY=$body wrk -t1 -c8 "-d${seconds}s" "$@" -s "$root/bench/post.lua" "$url" >"$dir/wrk" ||
    die "wrk: $(cat "$dir/wrk")"
  read -r rate bad < <(sed -n 's/^RESULT //p' "$dir/wrk") || die "wrk gave no result: $(cat "$dir/wrk")"
  [[ $bad == 0 && $rate != 0.0 ]] || die "$bad answers of $url were errors (rate $rate)"
  echo "$rate"
}
