#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test. An argument names another preset: tools/test.sh asan
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-default}
tools/install_deps.sh
[ "$preset" != asan ] || tools/install_deps.sh clang-16 libclang-rt-16-dev llvm-16
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
ctest --preset "$preset"
