#!/usr/bin/env bash
# Installs what is missing of Exarch's build dependencies (Debian 12 packages). Does nothing, and needs no root, when all are there.
set -euo pipefail
packages=(g++ cmake ninja-build libcxxopts-dev nlohmann-json3-dev libsqlite3-dev zlib1g-dev libzstd-dev libyaml-cpp-dev libeigen3-dev libtomlplusplus-dev libjs-chart.js libthrust-dev libcub-dev
          libgtest-dev libgmock-dev libbenchmark-dev)
packages+=("$@")
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "installing: ${missing[*]}"
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "run as root: apt-get install ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
