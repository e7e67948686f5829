#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test.
#   tools/test.sh           all of it
#   tools/test.sh quick     the same build, without the tests that take longest: kills, crash points, most recorded rows
#   tools/test.sh asan      another preset of CMakePresets.json
# The Python package is tested after the default build; EXARCH_SKIP_PYTHON=1 leaves it out.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-default}
build=$preset
[ "$preset" != quick ] || build=default
tools/install_deps.sh
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # what several builds compile alike is compiled once
[ "$preset" != asan ] || tools/install_deps.sh clang-16 libclang-rt-16-dev llvm-16
cmake --preset "$build" >/dev/null
cmake --build --preset "$build"
status=0
ctest --preset "$preset" || status=$?
if [ -n "${EXARCH_SKIP_PYTHON:-}" ]; then
  echo "left out: the tests of the Python package (EXARCH_SKIP_PYTHON)"
elif [ "$preset" = default ]; then
  tools/python_test.sh || status=$?
fi
# ctest lists what it left out, without the reason.
command -v chromium >/dev/null || echo "left out: the tests of reports in a browser (apt install chromium)"
command -v pdftotext >/dev/null || echo "left out: the test of reports on paper (apt install poppler-utils)"
command -v nvidia-smi >/dev/null || echo "left out: the tests that need a CUDA device"
exit $status
