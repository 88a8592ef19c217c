#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# Each header compiled alone, without a warning, by each compiler that is here.
set -euo pipefail

cd "$(dirname "$0")/.."
config=${CLIPFILTER_TEST_BUILDDIR:-build/tests}/..

mapfile -t headers < <(find gst model tests -name '*.h' ! -path 'tests/data/*' |
  sort)
compilers=()
for compiler in gcc clang; do
  if command -v $compiler >/dev/null; then
    compilers+=("$compiler")
  else
    echo "# $compiler is not installed"
  fi
done
packages=(glib-2.0 gobject-2.0 jansson libxxhash gstreamer-base-1.0
  gstreamer-video-1.0 gstreamer-check-1.0)
read -ra flags < <(pkg-config --cflags "${packages[@]}")
flags+=(-std=gnu11 -Wall -Wextra -Werror -Wmissing-prototypes -Wundef
  -Wno-unused-parameter -Wno-missing-field-initializers
  -I. -Imodel -Itests "-I$config" -fsyntax-only)

echo "1..${#headers[@]}"
n=0
for header in "${headers[@]}"; do
  n=$((n + 1))
  result=ok
  for compiler in "${compilers[@]}"; do
    printf '#include "%s"\n' "$header" |
      "$compiler" "${flags[@]}" -x c - 2>&1 | sed 's/^/# /' || result="not ok"
  done
  echo "$result $n /headers/$header"
done
