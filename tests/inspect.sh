#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# inspect.sh [--update]: what gst-inspect-1.0 prints of each element against
# data/inspect-ELEMENT.txt, so that no property, default or pad changes unseen.
# --update writes these files; read the difference before you commit it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=${CLIPFILTER_TEST_BUILDDIR:-$here/../build/tests}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! command -v gst-inspect-1.0 >/dev/null; then
  echo "1..0 # SKIP gst-inspect-1.0 is not installed"
  exit 0
fi

# In a build with AddressSanitizer its library must come first, and what
# GStreamer itself keeps until its end is not of interest here.
inspect () {
  env GST_PLUGIN_PATH_1_0="$build/../gst" GST_REGISTRY="$work/registry" \
    LC_ALL=C.UTF-8 LD_PRELOAD="${CLIPFILTER_PRELOAD:-}" \
    ASAN_OPTIONS=detect_leaks=0 gst-inspect-1.0 "$1"
}

# Without what differs from one build or GStreamer to the next: paths, versions,
# the list of all raw formats, empty lines and the heading of no flags.
normalise () {
  sed -E -e 's/[ \t]+$//' -e '/^$/d' -e '/^Element Flags:$/d' \
    -e '/^  (Filename|Version|Source release date) /d' \
    -e 's/^( *format: ).*/\1…/'
}

# The elements are those that the plugin says it has, "  name: long name".
inspect clip >"$work/plugin" 2>"$work/errors" || true
mapfile -t elements < <(sed -n 's/^  \([a-z]*\): .*/\1/p' "$work/plugin")
if [ ${#elements[@]} -eq 0 ]; then
  sed 's/^/# /' "$work/errors"
  echo "Bail out! the plugin clip has no elements"
  exit 1
fi

echo "1..${#elements[@]}"
n=0
for element in "${elements[@]}"; do
  n=$((n + 1))
  file=$here/data/inspect-$element.txt
  inspect "$element" >"$work/raw" 2>"$work/errors" || true
  normalise <"$work/raw" >"$work/text"
  if [ "${1:-}" = --update ]; then
    cp "$work/text" "$file"
  fi
  if diff -uN "$file" "$work/text" >"$work/diff" && [ ! -s "$work/errors" ]; then
    echo "ok $n /inspect/$element"
  else
    sed 's/^/# /' "$work/diff" "$work/errors"
    echo "not ok $n /inspect/$element"
  fi
done
