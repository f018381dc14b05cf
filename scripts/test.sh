#!/bin/bash
# Runs every check of the tree and ends with one line: N passed, N failed, N skipped.
# usage: scripts/test.sh [--fast | --full-tidy]
#   (nothing)    everything; 45 minutes on two cores with a cold compiler cache
#   --fast       format, lint, unit and integration tests of the dev build; minutes
#   --full-tidy  everything, with clang-tidy on all files rather than those that changed
# A failing stage does not stop the others. A skipped test counts as a failure unless
# tests/allowed_skips names it with a reason. Each stage's output: build/test-logs/STAGE.log.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

mode=full tidy=changed
case ${1:-} in
  "" | --full) ;;
  --fast) mode=fast ;;
  --full-tidy) tidy=all ;;
  *) echo "usage: scripts/test.sh [--fast | --full-tidy]" >&2; exit 2 ;;
esac

logs=build/test-logs
rm -rf "$logs" && mkdir -p "$logs"
passed=0 failed=0 skipped=0

# stage NAME FUNCTION [ARGUMENT...]: FUNCTION's last "N passed, N failed, N skipped" is its result,
# "FAILED name" and "SKIPPED name: reason" lines name the tests. Without a count line the stage is one
# check, passed if FUNCTION succeeds. A FUNCTION that fails but counts no failure adds one.
stage() {
  local name=$1 started=$SECONDS status=0 count p f s
  shift
  printf '%-18s ' "$name"
  "$@" >"$logs/$name.log" 2>&1 </dev/null || status=$?
  count=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$logs/$name.log" | tail -n 1)
  if [ -n "$count" ]; then
    read -r p f s < <(tr -dc '0-9 ' <<<"$count")
    [ "$status" -eq 0 ] || [ "$f" -gt 0 ] || f=1
    [ $((p + f + s)) -gt 0 ] || f=1 # a stage that tested nothing has failed
  else
    s=0
    if [ "$status" -eq 0 ]; then p=1 f=0; else p=0 f=1; fi
  fi
  local line test reason skips=()
  while IFS= read -r line; do
    test=${line#SKIPPED } reason=${test#*: } test=${test%%: *}
    if cut -f 1 tests/allowed_skips | grep -qxF -- "$test"; then
      skips+=("skipped $test: $reason")
    else
      skips+=("skipped $test: $reason (not in tests/allowed_skips: counted as failed)")
      f=$((f + 1)) s=$((s - 1))
    fi
  done < <(grep '^SKIPPED ' "$logs/$name.log")
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  printf '%6d passed, %d failed, %d skipped  (%d s)\n' "$p" "$f" "$s" $((SECONDS - started))
  [ ${#skips[@]} -eq 0 ] || printf '  %s\n' "${skips[@]}"
  if [ "$f" -gt 0 ]; then
    grep -E '^(FAILED|\|) ' "$logs/$name.log" | sed 's/^/  /' | head -n 200
    echo "  the end of $logs/$name.log:"
    tail -n 25 "$logs/$name.log" | sed 's/^/  | /'
  fi
}

lint() {
  local status=0
  python3 tests/lint/layers.py || status=1
  python3 tests/lint/hygiene.py || status=1
  python3 tests/lint/words.py || status=1
  return $status
}

lint_tests() {
  python3 scripts/tally.py unittest tests/lint
}

build() { # PRESET
  cmake --preset "$1" && cmake --build "build/$1"
}

run_ctest() { # PRESET CTEST-ARGUMENT...
  local preset=$1 status=0
  shift
  export TSAN_OPTIONS="suppressions=$PWD/tests/sanitizers/tsan.supp"
  ctest --test-dir "build/$preset" -j "$(nproc)" --no-tests=error --output-on-failure \
    --output-junit "$PWD/$logs/ctest-$preset.xml" "$@" || status=1
  python3 scripts/tally.py reports "$logs/ctest-$preset.xml" || status=1
  return $status
}

clients() {
  tests/clients/run.sh build/release/coffer
}

tls_scan() {
  tests/tls/run.sh build/release/coffer
}

demo() { # the README's first command, on a data directory of its own, twice: made, then found again
  local data status=0 run
  data=$(mktemp -d) || return 1
  for run in first second; do
    echo "the $run run"
    COFFER_DATA=$data COFFER_LISTEN=127.0.0.1:0 scripts/run.sh --once | tee "$data/output" || status=1
    grep -q '\b0 differences\b' "$data/output" || status=1
  done
  rm -rf "$data"
  return $status
}

faults() { # every script of tests/faults/runs.txt with its short count
  local script short release last p=0 f=0 s=0 a b c
  [ -n "$(find tests/faults -maxdepth 1 -type f -perm -u+x)" ] || { echo "no fault test"; return 1; }
  for script in $(find tests/faults -maxdepth 1 -type f -perm -u+x -printf '%f\n'); do
    grep -q "^$script " tests/faults/runs.txt || {
      echo "FAILED $script: not in tests/faults/runs.txt"
      f=$((f + 1))
    }
  done
  while read -r script short release; do
    echo "== $script $short"
    COFFER_BINARY=$PWD/build/release/coffer "tests/faults/$script" "$short" \
      >"$logs/fault.out" 2>&1 </dev/null
    local status=$?
    cat "$logs/fault.out"
    last=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$logs/fault.out" | tail -n 1)
    read -r a b c < <(tr -dc '0-9 ' <<<"${last:-0 0 0}")
    [ "$status" -eq 0 ] && [ -n "$last" ] || [ "$b" -gt 0 ] || b=1
    [ "$b" -eq 0 ] || echo "FAILED $script"
    p=$((p + a)) f=$((f + b)) s=$((s + c))
  done < <(grep -E '^[^#]' tests/faults/runs.txt)
  rm -f "$logs/fault.out"
  echo "$p passed, $f failed, $s skipped"
  [ "$f" -eq 0 ]
}

fuzz() { # all targets, two at a time, together at most five minutes
  local targets seconds count p f
  mapfile -t targets < <(find build/asan/tests/fuzz -maxdepth 1 -type f -perm -u+x -name '*_fuzz' | sort)
  count=${#targets[@]}
  [ "$count" -gt 0 ] || { echo "no fuzz target"; return 1; }
  seconds=$((2 * 280 / count))
  [ "$seconds" -le 25 ] || seconds=25
  export -f fuzz_one
  printf '%s\n' "${targets[@]}" | xargs -P 2 -I {} bash -c 'fuzz_one "$@"' fuzz {} "$seconds" "$logs"
  p=$(cat "$logs"/*_fuzz.out | grep -c '^PASSED ') f=$((count - p))
  cat "$logs"/*_fuzz.out
  rm -f "$logs"/*_fuzz.out
  echo "$p passed, $f failed, 0 skipped"
  [ "$f" -eq 0 ]
}

fuzz_one() { # TARGET SECONDS LOGS
  local name corpus
  name=$(basename "$1")
  corpus=(build/asan/fuzz-corpus/"$name")
  mkdir -p "${corpus[0]}"
  [ -d "tests/fuzz/corpus/$name" ] && corpus+=("tests/fuzz/corpus/$name")
  if "$1" -max_total_time="$2" -print_final_stats=1 -artifact_prefix="$3/$name-" "${corpus[@]}" >"$3/$name.raw" 2>&1; then
    tail -n 40 "$3/$name.raw"
    echo "PASSED $name"
  else
    tail -n 40 "$3/$name.raw"
    echo "FAILED $name"
  fi >"$3/$name.out"
  rm -f "$3/$name.raw"
}

# The sources to tidy: all, or those that differ from origin/main (from the last commit where that is
# the same), a changed header standing for its room's sources.
tidy_files() {
  local base changed
  if [ "$tidy" = all ]; then
    git ls-files 'src/*.cc' 'pkcs11/src/*.cc'
    return
  fi
  base=$(git merge-base HEAD origin/main 2>/dev/null || true)
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then base=$(git rev-parse -q --verify HEAD~1); fi
  if [ -z "$base" ]; then
    git ls-files 'src/*.cc' 'pkcs11/src/*.cc'
    return
  fi
  changed=$(git diff --name-only --diff-filter=d "$base" -- 'src/*' 'include/*' 'pkcs11/*')
  {
    grep -E '^(src|pkcs11/src)/.*\.cc$' <<<"$changed"
    for room in $(sed -nE 's!^(src|include/coffer)/([a-z]+)/.*\.h$!src/\2!p; s!^pkcs11/.*\.h$!pkcs11/src!p' \
      <<<"$changed" | sort -u); do
      git ls-files "$room/*.cc"
    done
  } | sort -u
}

clang_tidy() {
  local files
  mapfile -t files < <(tidy_files)
  if [ ${#files[@]} -eq 0 ]; then
    echo "no source changed"
    return 0
  fi
  # A database of each source alone; build/asan compiles several at a time.
  cmake --preset asan -B build/tidy -DCOFFER_UNITY=OFF -DCOFFER_PCH=OFF >"$logs/tidy.out" || { cat "$logs/tidy.out"; return 1; }
  printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -I {} sh -c \
    'clang-tidy-14 -p build/tidy --quiet "$1" >"$2/tidy-$$" 2>&1 && echo "PASSED $1" || { cat "$2/tidy-$$"; echo "FAILED $1"; }; rm "$2/tidy-$$"' \
    tidy {} "$logs" | tee "$logs/tidy.out"
  local p f
  p=$(grep -c '^PASSED ' "$logs/tidy.out") f=$(grep -c '^FAILED ' "$logs/tidy.out")
  rm "$logs/tidy.out"
  echo "$p passed, $f failed, 0 skipped"
  [ "$f" -eq 0 ] && [ "$p" -eq ${#files[@]} ]
}

bench() { # do the benchmarks run and compare? the figures are docs/performance.md's
  bench/run.sh --smoke && bench/run.sh --smoke --against build/release && bench/front_door.sh --smoke &&
    bench/audit.sh --smoke && bench/audit.sh --smoke --latency 300
}

stage packages scripts/install_packages.sh build run test
stage format python3 tests/lint/format_check.py
stage lint lint
stage lint-tests lint_tests

if [ "$mode" = fast ]; then
  stage build-dev build dev
  stage tests-dev run_ctest dev -L 'unit|integration' -LE lint
else
  stage build-release build release
  stage tests-release run_ctest release -LE lint
  stage clients clients
  stage tls tls_scan
  stage demo demo
  stage faults faults
  stage bench bench
  stage build-asan build asan
  export COFFER_POLICY_QUESTIONS=10000 # tests-release asks ten times as many
  stage tests-asan run_ctest asan -L 'unit|integration'
  stage fuzz fuzz
  stage clang-tidy clang_tidy
  stage build-tsan build tsan
  # Commands have one thread: tests-asan ran them.
  stage tests-tsan run_ctest tsan -L 'unit|integration' -E '^(cli|console|doctor|first_setup|hsm)\.'
fi

echo "the slowest tests:"
python3 scripts/tally.py slow "$logs"/*.xml
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
