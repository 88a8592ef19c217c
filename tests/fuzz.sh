#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# Has libFuzzer make up inputs for each target of tests/fuzz, from its corpus
# on, in a build of its own (build-fuzz, with clang and its sanitizers).
#
#   tests/fuzz.sh [RUNS [TARGET...]]
#
# RUNS a target, 100000 by default. What it finds is left in build-fuzz: put
# it into the corpus with the change that cures it.
set -euo pipefail

cd "$(dirname "$0")/.."
runs=${1:-100000}
targets=("${@:2}")
if [ ${#targets[@]} -eq 0 ]; then
  for corpus in tests/fuzz/corpus/*/; do
    targets+=("$(basename "$corpus")")
  done
fi

if [ ! -e build-fuzz/build.ninja ]; then
  CC=clang meson setup build-fuzz -Dfuzz=true -Doptimization=1 \
    -Db_sanitize=address,undefined -Db_lundef=false
fi
ninja -C build-fuzz "${targets[@]/#/tests/fuzz/fuzz-}"
for target in "${targets[@]}"; do
  mkdir -p "build-fuzz/corpus/$target"
  echo "== $target"
  "build-fuzz/tests/fuzz/fuzz-$target" -runs="$runs" -timeout=1 \
    -rss_limit_mb=512 -max_len=4096 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/$target-" "build-fuzz/corpus/$target" \
    "tests/fuzz/corpus/$target"
done
