#!/usr/bin/env bash
# Fuzzes the readers of Exarch (tests/fuzz) with libFuzzer; --help says how.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  cat <<'END'
Usage: tools/fuzz.sh [--runs N | --seconds N | --hours N] [--jobs N] [TARGET ...]
       tools/fuzz.sh --list
       tools/fuzz.sh --reproduce TARGET FILE ...
       tools/fuzz.sh --minimize TARGET FILE

Builds the preset `fuzz` (clang 16, AddressSanitizer, UndefinedBehaviorSanitizer) and runs each TARGET, by default all.

  --runs N      N inputs for each target; the same inputs whenever the program is the same (default: 2000)
  --seconds N   N seconds for each target
  --hours N     N hours in all, divided among the targets; new inputs every time
  --jobs N      so many targets at a time (default: 1)

An input is a finding if anything but an exarch::Error leaves the reader, if it takes more than 5 seconds (with --runs: 30) or
1 GiB, leaks, or if a check of tests/fuzz fails. It is then in build/fuzz/findings/TARGET-*, and the exit code is 1. Inputs that reach
new code gather in build/fuzz/corpus/TARGET. What to do with a finding: mend the reader, then add the minimized input to
tests/fuzz/corpus/TARGET, where every build replays it (ctest -R fuzz_corpus).

Examples:
  tools/fuzz.sh                              # what CI does
  tools/fuzz.sh --hours 8 --jobs 2           # a night
  tools/fuzz.sh --runs 1000000 memspec plan
  tools/fuzz.sh --minimize memspec build/fuzz/findings/memspec-crash-0123
END
}

fail() { echo "fuzz.sh: $1" >&2; exit 2; }
number() { [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "$1 takes a whole number, found '${2:-}'"; }

mode=runs limit=2000 jobs=1 action=fuzz targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --runs | --seconds | --hours) number "$1" "${2:-}"; mode=${1#--} limit=$2; shift ;;
    --jobs) number "$1" "${2:-}"; jobs=$2; shift ;;
    --list | --reproduce | --minimize) action=${1#--} ;;
    -*) fail "unknown option $1; see tools/fuzz.sh --help" ;;
    *) targets+=("$1") ;;
  esac
  shift
done

tools/install_deps.sh clang-16 libclang-rt-16-dev llvm-16
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
program=$PWD/build/fuzz/bin/fuzz
export ASAN_OPTIONS=quarantine_size_mb=16:allocator_may_return_null=1:malloc_context_size=8:${ASAN_OPTIONS:-}
export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-/usr/bin/llvm-symbolizer-16}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
mapfile -t known < <("$program" --list)

if [ "$action" = list ]; then
  printf '%s\n' "${known[@]}"
  exit 0
fi
for target in "${targets[@]:0:$([ "$action" = fuzz ] && echo ${#targets[@]} || echo 1)}"; do
  [[ " ${known[*]} " == *" $target "* ]] || fail "no target '$target'; there are ${known[*]}"
done
# Readers take files: these are in memory where that is possible.
TMPDIR=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)/exarch-fuzz.XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
# The clock on the wall also counts what other programs take; CI, which has one try, is generous.
bounds=("-timeout=$([ "$mode" = runs ] && echo 30 || echo 5)" -rss_limit_mb=1024 -malloc_limit_mb=1024)

case $action in
  reproduce)
    [ ${#targets[@]} -ge 2 ] || fail "--reproduce takes a target and files"
    exec "$program" "--target=${targets[0]}" "${bounds[@]}" "${targets[@]:1}"
    ;;
  minimize)
    [ ${#targets[@]} -eq 2 ] || fail "--minimize takes a target and a file"
    exec "$program" "--target=${targets[0]}" "${bounds[@]}" -minimize_crash=1 -max_total_time=60 -artifact_prefix=build/fuzz/findings/ "${targets[1]}"
    ;;
esac

[ ${#targets[@]} -gt 0 ] || targets=("${known[@]}")
case $mode in
  runs) limits=("-runs=$limit" -seed=1) ;;
  seconds) limits=("-max_total_time=$limit") ;;
  hours) limits=("-max_total_time=$((limit * 3600 * jobs / ${#targets[@]}))") ;;
esac

fuzz() {
  local target=$1 log=build/fuzz/log/$1 found=build/fuzz/corpus/$1 options=()
  mkdir -p "$found" build/fuzz/findings build/fuzz/log
  [ "$mode" = runs ] && { rm -rf "$found"; mkdir -p "$found"; }  # the same start every time
  [ -f "tests/fuzz/dict/$target.dict" ] && options+=("-dict=tests/fuzz/dict/$target.dict")
  if "$program" "--target=$target" "${bounds[@]}" "${limits[@]}" "${options[@]}" -max_len=4096 -print_final_stats=1 \
    "-artifact_prefix=build/fuzz/findings/$target-" "$found" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
    echo "$target: $(sed -n 's/^stat::number_of_executed_units: //p' "$log") inputs," \
      "$(grep -ao 'cov: [0-9]*' "$log" | tail -1 | cut -c6-) edges"
  else
    echo "$target: a finding; the last lines of $log:"
    tail -n 40 "$log"
    return 1
  fi
}

status=0
for target in "${targets[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || status=1; done
  fuzz "$target" &
done
while [ -n "$(jobs -p)" ]; do wait -n || { [ $? -eq 127 ] && break; status=1; }; done
exit $status
