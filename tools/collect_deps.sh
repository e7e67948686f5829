#!/usr/bin/env bash
# Gathers the headers and libraries of Exarch's dependencies from the installed Debian packages into a folder (deps/ by default, which
# git ignores) that can be carried to a machine without network:
#
#   tools/collect_deps.sh [FOLDER]
#   cmake -S . -B build/there -DCMAKE_PREFIX_PATH="$PWD/deps" ...
#
# x86-64 Linux with glibc 2.36 or newer on the other side. About 14 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=${1:-deps}
tools/install_deps.sh

need() { [ -e "$1" ] || { echo "collect_deps: $1 is missing; install the package $2" >&2; exit 1; }; }
libraries=/usr/lib/$(gcc -print-multiarch)
need /usr/include/cxxopts.hpp libcxxopts-dev
need /usr/include/nlohmann/json.hpp nlohmann-json3-dev
need "$libraries/libsqlite3.a" libsqlite3-dev
need "$libraries/libz.a" zlib1g-dev
need "$libraries/libzstd.a" libzstd-dev
need "$libraries/libyaml-cpp.a" libyaml-cpp-dev
need /usr/include/eigen3/Eigen/Dense libeigen3-dev
need /usr/include/toml++/toml.h libtomlplusplus-dev
need /usr/share/javascript/chart.js/chart.min.js libjs-chart.js
need "$libraries/libgtest.a" libgtest-dev
need "$libraries/libgmock.a" libgmock-dev
need "$libraries/libbenchmark.so" libbenchmark-dev

rm -rf "$deps"
mkdir -p "$deps/include" "$deps/lib/cmake"
cp -a /usr/include/cxxopts.hpp /usr/include/sqlite3.h /usr/include/zlib.h /usr/include/zconf.h /usr/include/zstd.h /usr/include/zstd_errors.h /usr/include/nlohmann /usr/include/gtest /usr/include/gmock \
  /usr/include/benchmark /usr/include/eigen3/Eigen /usr/include/toml++ /usr/include/yaml-cpp "$deps/include"
mkdir -p "$deps/share/chart.js"
cp -L /usr/share/javascript/chart.js/chart.min.js "$deps/share/chart.js"
for name in libsqlite3.a libz.a libzstd.a libyaml-cpp.a libgtest.a libgtest_main.a libgmock.a libgmock_main.a libbenchmark_main.a; do
  cp -L "$libraries/$name" "$deps/lib"
done
# Debian has no static libbenchmark; the name the loader looks for must be the file's own.
soname=$(objdump -p "$libraries/libbenchmark.so" | awk '$1 == "SONAME" { print $2 }')
cp -L "$libraries/libbenchmark.so" "$deps/lib/$soname"

# The packages' own CMake files name /usr; these find everything beside themselves. SQLite3 and ZLIB are found by CMake's own modules.
# shellcheck disable=SC2016  # CMake's variables, not the shell's
config() {
  mkdir -p "$deps/lib/cmake/$1"
  { printf 'get_filename_component(_deps "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)\n'; cat; } >"$deps/lib/cmake/$1/$1Config.cmake"
}
config cxxopts <<'CMAKE'
if(NOT TARGET cxxopts::cxxopts)
  add_library(cxxopts::cxxopts INTERFACE IMPORTED)
  set_target_properties(cxxopts::cxxopts PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_deps}/include")
endif()
CMAKE
config nlohmann_json <<'CMAKE'
if(NOT TARGET nlohmann_json::nlohmann_json)
  add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED)
  set_target_properties(nlohmann_json::nlohmann_json PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_deps}/include")
endif()
CMAKE
config Eigen3 <<'CMAKE'
if(NOT TARGET Eigen3::Eigen)
  add_library(Eigen3::Eigen INTERFACE IMPORTED)
  set_target_properties(Eigen3::Eigen PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_deps}/include")
endif()
CMAKE
config yaml-cpp <<'CMAKE'
if(NOT TARGET yaml-cpp)
  add_library(yaml-cpp STATIC IMPORTED)
  set_target_properties(yaml-cpp PROPERTIES IMPORTED_LOCATION "${_deps}/lib/libyaml-cpp.a" INTERFACE_INCLUDE_DIRECTORIES "${_deps}/include")
endif()
CMAKE
config zstd <<'CMAKE'
if(NOT TARGET zstd::libzstd_shared)  # the name that Debian's file gives it
  add_library(zstd::libzstd_shared STATIC IMPORTED)
  set_target_properties(zstd::libzstd_shared PROPERTIES IMPORTED_LOCATION "${_deps}/lib/libzstd.a" INTERFACE_INCLUDE_DIRECTORIES "${_deps}/include")
endif()
CMAKE
config GTest <<'CMAKE'
include(CMakeFindDependencyMacro)
find_dependency(Threads)
foreach(name gtest gtest_main gmock gmock_main)
  if(NOT TARGET GTest::${name})
    add_library(GTest::${name} STATIC IMPORTED)
    set_target_properties(GTest::${name} PROPERTIES IMPORTED_LOCATION "${_deps}/lib/lib${name}.a"
                                                    INTERFACE_INCLUDE_DIRECTORIES "${_deps}/include")
  endif()
endforeach()
set_property(TARGET GTest::gtest PROPERTY INTERFACE_LINK_LIBRARIES Threads::Threads)
set_property(TARGET GTest::gmock PROPERTY INTERFACE_LINK_LIBRARIES GTest::gtest)
set_property(TARGET GTest::gtest_main PROPERTY INTERFACE_LINK_LIBRARIES GTest::gtest)
set_property(TARGET GTest::gmock_main PROPERTY INTERFACE_LINK_LIBRARIES GTest::gmock)
CMAKE
config benchmark <<CMAKE
if(NOT TARGET benchmark::benchmark)
  find_package(Threads REQUIRED)
  add_library(benchmark::benchmark SHARED IMPORTED)
  set_target_properties(benchmark::benchmark PROPERTIES IMPORTED_LOCATION "\${_deps}/lib/$soname"
    INTERFACE_INCLUDE_DIRECTORIES "\${_deps}/include" INTERFACE_LINK_LIBRARIES Threads::Threads)
  add_library(benchmark::benchmark_main STATIC IMPORTED)
  set_target_properties(benchmark::benchmark_main PROPERTIES IMPORTED_LOCATION "\${_deps}/lib/libbenchmark_main.a"
    INTERFACE_LINK_LIBRARIES benchmark::benchmark)
endif()
CMAKE
du -sh "$deps"
