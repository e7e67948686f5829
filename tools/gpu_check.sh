#!/usr/bin/env bash
# Checks and measures the CUDA backend on a machine that may have no more than nvcc, a C++20 compiler, CMake and a device:
#
#   tools/gpu_check.sh --out FOLDER [--build FOLDER] [--jobs N] [--seconds N] [--candidates N] [--dry-run]
#
# Builds for the devices present (dependencies from deps/ if tools/collect_deps.sh made it, else installed ones), runs the tests that
# need a device, compares a million random candidates on both backends, measures, and lets compute-sanitizer and ncu look where
# they are installed. Every part has a time limit, and its failure is reported without stopping the others; all end within
# --seconds (570 unless told). FOLDER receives report.json, log.txt and bench.jsonl. Exit code 0: every part that ran passed.
# shellcheck disable=SC2317  # the parts are called by name
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

out='' build=build/gpu jobs=$(nproc) seconds=570 candidates=1000000 dry_run=
usage() { sed -n '2,12p' "$0" | cut -c3-; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry_run=1; shift; continue ;;
    --out | --build | --jobs | --seconds | --candidates) [ $# -ge 2 ] || usage ;;
    *) echo "gpu_check: unknown option '$1'" >&2; usage ;;
  esac
  case $1 in
    --out) out=$2 ;;
    --build) build=$2 ;;
    --jobs) jobs=$2 ;;
    --seconds) seconds=$2 ;;
    --candidates) candidates=$2 ;;
  esac
  shift 2
done
[ -n "$out" ] || usage
mkdir -p "$out" || exit 1
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$out/log.txt
: >"$log"
: >"$out/bench.jsonl"
started=$(date +%s)
traces=stream,random,cloud-1,cloud-2
batch_bench=$build/bench/exarch_batch_bench
exarch=$build/bin/exarch
failed=0
parts=()

json_string() { printf '"%s"' "$(printf '%s' "$1" | tr '\n\t' '  ' | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

# part NAME LIMIT COMMAND...: runs the command within LIMIT seconds and what is left of all; its output goes to the log, and what it
# writes to $work/NAME.json becomes the part's "result" if it passes.
part() {
  local name=$1 limit=$2 left status begin took verdict
  shift 2
  left=$((seconds - ($(date +%s) - started)))
  [ "$limit" -gt "$left" ] && limit=$left
  if [ "$limit" -lt 3 ]; then
    record "$name" skipped 0 "no time left"
    return 1
  fi
  printf '\n== %s (%s s at most): %s\n' "$name" "$limit" "$*" | tee -a "$log"
  if [ -n "$dry_run" ]; then
    record "$name" "dry run" 0 "$*"
    return 0
  fi
  begin=$(date +%s)
  export -f "${functions[@]}"
  # Only the parts' own variables are passed on.
  out=$out work=$work build=$build jobs=$jobs candidates=$candidates traces=$traces batch_bench=$batch_bench exarch=$exarch \
    timeout --kill-after=5 "$limit" bash -c 'set -eo pipefail; "$@"' part "$@" >>"$log" 2>&1
  status=$?
  took=$(($(date +%s) - begin))
  verdict=passed
  [ $status -ne 0 ] && verdict=failed
  [ $status -eq 124 ] || [ $status -eq 137 ] && verdict="out of time"
  [ $status -eq 77 ] && verdict=skipped
  [ $status -ne 0 ] && [ $status -ne 77 ] && failed=1
  record "$name" "$verdict" "$took" "$(tail -n 1 "$log" | cut -c1-300)"
  echo "   $verdict after $took s" | tee -a "$log"
  [ $status -eq 0 ]
}

record() {
  local result=null
  [ "$2" = passed ] && [ -s "$work/$1.json" ] && result=$(cat "$work/$1.json")
  parts+=("{\"part\":\"$1\",\"verdict\":\"$2\",\"seconds\":$3,\"last_line\":$(json_string "$4"),\"result\":$result}")
}

# ---- parts: exit code 77 means that the machine lacks what the part needs ------------------------------------------------------

build_all() {
  local generator=() prefix=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  [ -d deps ] && prefix=("-DCMAKE_PREFIX_PATH=$PWD/deps")
  cmake -S . -B "$build" "${generator[@]}" "${prefix[@]}" -DCMAKE_BUILD_TYPE=Release -DEXARCH_CUDA=ON -DEXARCH_BENCH=ON -DEXARCH_TESTS=ON
  cmake --build "$build" --parallel "$jobs" --target exarch exarch_batch_bench parity_tests cuda_tests
}

doctor() { "$exarch" doctor; }

signature() {
  "$exarch" bench --signature | tee "$work/signature.txt"
  printf '"%s"' "$(cat "$work/signature.txt")" >"$work/signature.json"
}

gpu_tests() {
  local status=0
  "$build/tests/cuda_tests" || status=1
  "$build/tests/parity_tests" | tee "$work/parity.txt" || status=1
  printf '{"passed":%s,"skipped":%s,"failed":%s}' "$(grep -c '^\[       OK' "$work/parity.txt")" \
    "$(grep -c '^\[  SKIPPED \] [^ ]* (' "$work/parity.txt")" "$(grep -c '^\[  FAILED  \] [^ ]* (' "$work/parity.txt")" >"$work/gpu_tests.json"
  return "$status"
}

hash_cuda() { "$batch_bench" hash --backend cuda --candidates "$candidates" --traces "$traces" | tee "$work/hash_cuda.json"; }
hash_cpu() { "$batch_bench" hash --backend cpu --candidates "$candidates" --traces "$traces" | tee "$work/hash_cpu.json"; }

same_hash() {
  local a b
  a=$(grep -o '"hash":"[^"]*"' "$work/hash_cuda.json")
  b=$(grep -o '"hash":"[^"]*"' "$work/hash_cpu.json")
  echo "cuda $a, cpu $b"
  printf '{"cuda":{%s},"cpu":{%s}}' "$a" "$b" >"$work/same_hash.json"
  [ -n "$a" ] && [ "$a" = "$b" ]
}

# Ways to launch on one trace first, then the usual one on every trace and from few instances to many.
throughput() {
  : >"$out/bench.jsonl"
  "$batch_bench" sweep --instances 131072 --traces cloud-1 --blocks 32,64,128,256 --bins 1,0 --shapes dense,lanes \
    --seconds 30 | tee -a "$out/bench.jsonl"
  "$batch_bench" sweep --instances 1024,2048,4096,8192,16384,32768 --traces "$traces" --blocks 64 --bins 1 --shapes dense,lanes \
    --repeats 1 --seconds 30 | tee -a "$out/bench.jsonl"
  "$batch_bench" sweep --instances 65536,131072,262144,524288,1048576 --traces "$traces" --blocks 64 --bins 1 --shapes dense \
    --repeats 1 --seconds 40 | tee -a "$out/bench.jsonl"
}

# The line of the highest throughput.
best_setting() {
  awk '{ if (match($0, /"requests_per_s":[0-9.e+]+/)) { v = substr($0, RSTART + 17, RLENGTH - 17) + 0; if (v > best) { best = v; line = $0 } } }
       END { print line }' "$out/bench.jsonl"
}

whole_space_shared() {
  rm -f "$work"/shared.db*
  "$exarch" sweep dram --space archgym-aco --trace "$traces" --all --backend cuda --json --out "$work/shared.db" | tee "$work/whole_space_shared.json"
}
# An eighth of the space, every run simulated as it stands.
sample_brute_force() {
  rm -f "$work"/brute.db*
  "$exarch" sweep dram --space archgym-aco --trace "$traces" --sample 221184 --no-share --backend cuda --json --out "$work/brute.db" |
    tee "$work/sample_brute_force.json"
}

# MAESTRO: a network under random mappings, every candidate on its own, on both backends.
maestro_sweep() {
  for backend in cuda cpu; do
    rm -f "$work"/maestro.db*
    "$exarch" sweep maestro --model resnet50 --space codesign --sample "$([ $backend = cuda ] && echo 1000000 || echo 50000)" --no-share \
      --backend $backend --json --out "$work/maestro.db" >"$work/maestro_$backend.json"
  done
  printf '{"cuda":%s,"cpu":%s}' "$(cat "$work/maestro_cuda.json")" "$(cat "$work/maestro_cpu.json")" | tee "$work/maestro_sweep.json"
}

sanitize() {
  command -v compute-sanitizer >/dev/null || { echo "compute-sanitizer is not installed"; return 77; }
  compute-sanitizer --tool "$1" --error-exitcode 3 "$batch_bench" hash --backend cuda --candidates 600 --requests 200 --traces random,ddr3_example
}

occupancy() {
  command -v ncu >/dev/null || { echo "ncu is not installed"; return 77; }
  local best block shape
  best=$(best_setting)
  block=$(printf '%s' "$best" | sed -n 's/.*"block":\([0-9]*\).*/\1/p')
  shape=$(printf '%s' "$best" | sed -n 's/.*"shape":"\([a-z]*\)".*/\1/p')
  ncu --clock-control none --csv -k "regex:${shape:-dense}_kernel" --launch-count 8 \
    --metrics sm__warps_active.avg.pct_of_peak_sustained_active,smsp__thread_inst_executed_per_inst_executed.ratio,launch__registers_per_thread,sm__inst_executed.avg.per_cycle_active \
    "$batch_bench" sweep --instances 32768 --traces cloud-1 --blocks "${block:-64}" --bins 1 \
    --shapes "${shape:-dense}" --repeats 1 | tee "$work/ncu.csv"
  { printf '{"block":%s,"csv":[' "${block:-64}"
    grep '^"' "$work/ncu.csv" | sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&"/' | paste -sd, -
    printf ']}'; } >"$work/occupancy.json"
}

functions=(build_all doctor signature gpu_tests hash_cuda hash_cpu same_hash throughput best_setting whole_space_shared
  sample_brute_force maestro_sweep sanitize occupancy)

# ---- the run ------------------------------------------------------------------------------------------------------------------

machine() {
  local nvcc smi=''
  nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
  command -v nvidia-smi >/dev/null &&
    smi=$(nvidia-smi --query-gpu=name,driver_version,compute_cap,memory.total,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,power.limit --format=csv,noheader 2>&1)
  printf '{"devices":%s,"columns":"name, driver, compute capability, memory, SM clock, memory clock, highest SM clock, highest memory clock, power limit",' \
    "$(json_string "${smi:-nvidia-smi is not installed}")"
  printf '"nvcc":%s,"compiler":%s,"cmake":%s,"cpu":%s,"cores":%s,"kernel":%s,"commit":%s}' \
    "$(json_string "$("$nvcc" --version 2>&1 | tail -n 2 | head -n 1)")" "$(json_string "$(c++ --version 2>&1 | head -n 1)")" \
    "$(json_string "$(cmake --version 2>&1 | head -n 1)")" \
    "$(json_string "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)")" "$(nproc)" "$(json_string "$(uname -r)")" \
    "$(json_string "$(git rev-parse HEAD 2>/dev/null || echo unknown)")"
}

write_report() {
  {
    printf '{"started":"%s","seconds":%s,"machine":%s,\n"parts":[\n' "$(date -u -d "@$started" +%FT%TZ)" "$(($(date +%s) - started))" "$(machine)"
    local first=1
    for p in "${parts[@]}"; do
      [ -n "$first" ] || printf ',\n'
      first=
      printf '%s' "$p"
    done
    printf '],\n"throughput":[\n'
    paste -sd, "$out/bench.jsonl" | sed 's/},{/},\n{/g'
    printf ']}\n'
  } >"$out/report.json"
}

if part build_all 300 build_all; then
  part doctor 20 doctor
  part gpu_tests 100 gpu_tests
  part hash_cuda 60 hash_cuda
  part hash_cpu 150 hash_cpu && part same_hash 5 same_hash
  part throughput 110 throughput
  part whole_space_shared 40 whole_space_shared
  part sample_brute_force 40 sample_brute_force
  part maestro_sweep 40 maestro_sweep
  for tool in memcheck racecheck initcheck; do part "sanitize_$tool" 40 sanitize "$tool"; done
  part occupancy 60 occupancy
  part signature 30 signature
fi
write_report
echo
echo "report: $out/report.json"
exit $failed
