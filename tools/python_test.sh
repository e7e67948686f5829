#!/usr/bin/env bash
# Builds the Python package in a virtual environment, build/python-venv, and runs its tests. Needs PyPI.
#   tools/python_test.sh                 the package and its tests
#   tools/python_test.sh -k gym          pytest's arguments
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -c 'import ensurepip, os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' 2>/dev/null ||
  tools/install_deps.sh python3-dev python3-venv
venv=build/python-venv
pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet)
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
if ! "${pip[@]}" install --upgrade-strategy only-if-needed "scikit-build-core>=0.10" "nanobind>=2.2" numpy pytest pandas pyarrow \
    gymnasium mypy pandas-stubs; then
  echo "left out: the tests of the Python package (pip cannot fetch what they need; see above)"
  exit 0
fi
# As pip install . does, but with what the environment has already; the compiler by the name that the presets use, so that ccache
# knows what they compiled.
export CXX=${CXX:-c++}
"${pip[@]}" install --no-build-isolation --no-deps --force-reinstall .
"$venv/bin/python" -m mypy python/examples
"$venv/bin/python" -m mypy -p exarch
"$venv/bin/python" -m pytest -q python/tests "$@"
