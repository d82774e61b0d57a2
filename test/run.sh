#!/usr/bin/env bash
# Everything from nothing: sets up, builds, runs all tests, and ends with `N passed, N failed`.
#
#   bash test/run.sh
#
# ZOO_BUILD_DIR=build/release   where to build
# ZOO_JOBS=2                    compiler processes, and fuzz targets at a time
set -uo pipefail
cd "$(dirname "$0")/.."
build=${ZOO_BUILD_DIR:-build/release}
jobs=${ZOO_JOBS:-$(nproc)}
logs=build/test-logs
mkdir -p "$logs"
rm -f "$logs"/*
passed=0
failed=0

# step NAME COMMAND…: runs it with its output in a log, and ends the run if it fails: nothing after it could work.
step() {
  local name=$1 start=$SECONDS
  shift
  echo "run: $name"
  if ! "$@" > "$logs/$name.log" 2>&1; then
    tail -n 60 "$logs/$name.log"
    echo "run: $name failed after $((SECONDS - start)) s; the whole log is $logs/$name.log"
    echo "0 passed, 1 failed"
    exit 1
  fi
  echo "run: $name done, $((SECONDS - start)) s"
}

# count NAME PASSED FAILED SECONDS
count() {
  passed=$((passed + $2))
  failed=$((failed + $3))
  echo "run: $1: $2 passed, $3 failed, $4 s"
}

# One test program: its test cases are counted from Catch2's report.
run_program() {
  local program=$1 start=$SECONDS status counts
  timeout 1500 "$build/bin/$program" -r xml -o "$logs/$program.xml" > "$logs/$program.log" 2>&1 < /dev/null
  status=$?
  counts=$(python3 test/catch_summary.py "$logs/$program.xml" "$status")
  # shellcheck disable=SC2086  # two words: passed failed
  count "$program" ${counts:-0 1} $((SECONDS - start))
  [ "$status" = 0 ] || tail -n 20 "$logs/$program.log"
}

# One command that passes or fails as a whole.
run_whole() {
  local name=$1 start=$SECONDS
  shift
  if "$@" > "$logs/$name.log" 2>&1 < /dev/null; then
    count "$name" 1 0 $((SECONDS - start))
  else
    count "$name" 0 1 $((SECONDS - start))
    tail -n 30 "$logs/$name.log"
  fi
}

run_reference() {
  local start=$SECONDS status good bad
  "$build/bin/zoo-reference" > "$logs/reference.log" 2>&1 < /dev/null
  status=$?
  good=$(grep -c '^PASS ' "$logs/reference.log")
  bad=$(grep -c '^FAIL ' "$logs/reference.log")
  [ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
  count reference "$good" "$bad" $((SECONDS - start))
  [ "$status" = 0 ] || grep -v '^PASS ' "$logs/reference.log"
}

# The fuzz targets, 30 s each, some at a time.
run_fuzz() {
  local start=$SECONDS total bad
  ctest --test-dir "$build" -L fuzz -j "$jobs" --output-on-failure > "$logs/fuzz.log" 2>&1 < /dev/null
  read -r bad total < <(sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\)$/\1 \2/p' "$logs/fuzz.log")
  count fuzz $((${total:-0} - ${bad:-0})) "${bad:-1}" $((SECONDS - start))
  [ "${bad:-1}" = 0 ] || tail -n 60 "$logs/fuzz.log"
}

step setup bash third_party/setup.sh
step configure cmake --preset release -B "$build" ${ZOO_TORCH:+-DZOO_TORCH="$ZOO_TORCH"}
step build cmake --build "$build" -j "$jobs"

while read -r program; do run_program "$program"; done < "$build/tests.txt"
run_reference
run_fuzz
run_whole consumer bash test/consumer/run.sh "$build"

echo "run: everything took $((SECONDS / 60)) min $((SECONDS % 60)) s on $(nproc) processors"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
