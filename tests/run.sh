#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
set -euo pipefail

usage () {
  cat <<'EOF'
tests/run.sh [OPTION]... [NAME]...

Installs what is missing, builds, runs the tests and ends with the line
"N passed, N failed". NAME is a test (safetensors), a room (load) or both
(load/safetensors); without one, everything runs.

  --long           also the cases that take minutes (CLIPFILTER_TEST_LONG=1)
  --no-install     install nothing
  --sanitize       with AddressSanitizer and UBSan, in build-sanitize/
  --threads        with ThreadSanitizer, in build-threads/; for tests of serve/
  --werror         warnings are errors
  --build-dir DIR  build there instead of in build/
EOF
}

cd "$(dirname "$0")/.."
# shellcheck source=tests/steps.sh
. tests/steps.sh

# What cannot be built has failed as a whole.
broken () {
  echo "0 passed, 1 failed"
  exit 1
}

build=
install=()
names=()
sanitize=no
setup=(-Dtests=enabled)
multiplier=1
while [ $# -gt 0 ]; do
  case $1 in
    --long)
      export CLIPFILTER_TEST_LONG=1
      multiplier=20
      ;;
    --no-install) install=(--no-install) ;;
    --sanitize) sanitize=yes ;;
    --threads) sanitize=threads ;;
    --werror) setup+=(--werror) ;;
    --build-dir)
      [ $# -gt 1 ] || die "--build-dir needs a directory"
      build=$2
      shift
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    -*) die "$1 is not an option; --help lists them" ;;
    *) names+=("$1") ;;
  esac
  shift
done

if [ "$sanitize" = yes ]; then
  build=${build:-build-sanitize}
  setup+=(-Doptimization=1 -Db_lundef=false "-Db_sanitize=address,undefined"
    "-Dc_args=-fno-sanitize-recover=undefined -fno-omit-frame-pointer")
  # Slices would hide from AddressSanitizer who wrote past what. gcc 12's leak
  # check crashes in a forked test when it walks the TLS blocks of a thread that
  # is still running, which it does not when it never noted them.
  export G_SLICE=always-malloc
  asan=(detect_leaks=1 detect_stack_use_after_return=1 intercept_tls_get_addr=0
    strict_string_checks=1)
  ASAN_OPTIONS=$(IFS=: && echo "${asan[*]}")
  export ASAN_OPTIONS UBSAN_OPTIONS=print_stacktrace=1
  multiplier=$((multiplier * 4))
fi
if [ "$sanitize" = threads ]; then
  build=${build:-build-threads}
  setup+=(-Doptimization=1 -Db_lundef=false -Db_sanitize=thread)
  # It does not see how libgomp's teams wait for each other.
  export OMP_THREAD_LIMIT=1
  export TSAN_OPTIONS="suppressions=$PWD/tests/data/thread-sanitizer.txt"
  multiplier=$((multiplier * 8))
fi
build=${build:-build}
export CK_TIMEOUT_MULTIPLIER=$multiplier

tests/packages/install.sh "${install[@]}" build tests || broken
export CLIPFILTER_TEST_PICTURES=${CLIPFILTER_TEST_PICTURES:-$PWD/build/pictures}
tests/pictures.sh "${install[@]}" "$CLIPFILTER_TEST_PICTURES"
if [ ! -e "$build/build.ninja" ]; then
  step "Configuring $build" meson setup "$build" "${setup[@]}" || broken
fi
step "Building in $build" ninja -C "$build" || broken

list_tests () {
  mapfile -t all < <(meson introspect --tests "$build" | python3 -c '
import json, sys
for test in json.load(sys.stdin):
    print(test["suite"][0].split(":")[-1] + "/" + test["name"])')
}
list_tests
if [ ${#all[@]} -eq 0 ]; then
  # Configured by somebody who had not what the tests need.
  step "Configuring $build with tests" \
    meson setup --reconfigure "$build" -Dtests=enabled || broken
  step "Building the tests in $build" ninja -C "$build" || broken
  list_tests
fi

chosen=()
for name in "${names[@]}"; do
  found=no
  for test in "${all[@]}"; do
    case $test in
      "$name" | "$name"/* | */"$name")
        # Meson knows no rooms: of tests of one name it runs all, and would do
        # so as often as it is told.
        [[ " ${chosen[*]} " == *" ${test##*/} "* ]] || chosen+=("${test##*/}")
        found=yes
        ;;
    esac
  done
  [ $found = yes ] || die "There is no test '$name'. There are: ${all[*]}"
done

say "Running $(if [ ${#names[@]} -gt 0 ]; then
  echo "${names[*]}"
else
  echo "all ${#all[@]} test programs"
fi) …"
rm -f "$build/meson-logs/testlog.json"
status=0
meson test -C "$build" --no-rebuild --timeout-multiplier "$multiplier" \
  "${chosen[@]}" </dev/null >&2 || status=$?
tests/summary.py --status "$status" "$build/meson-logs/testlog.json"
