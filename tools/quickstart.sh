#!/usr/bin/env bash
# From a fresh Debian 12 to a tuned DRAM controller: installs what is missing, builds, searches, shows the best designs.
# Arguments are for CMake: tools/quickstart.sh -DEXARCH_CUDA=OFF
set -euo pipefail
cd "$(dirname "$0")/.."
tools/install_deps.sh
cmake --preset release "$@" >/dev/null
cmake --build --preset release
mkdir -p build/quickstart
rm -f build/quickstart/cloud-1.db*
echo
echo "A genetic algorithm tunes the memory controller for the cloud-1 trace (10,000 requests, DDR3-1600):"
echo
build/release/bin/exarch search dram --trace cloud-1 --agent ga --population 1024 --generations 50 \
  --objective latency --seed 1 --out build/quickstart/cloud-1.db
echo
echo "Look closer:  build/release/bin/exarch best build/quickstart/cloud-1.db --objective energy"
echo "As a table:   build/release/bin/exarch export build/quickstart/cloud-1.db --out cloud-1.csv"
echo "From Python:  pip install .   (in a virtual environment; docs/python.md)"
