#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# format.sh [--fix]: is every C file as clang-format 14 writes it? Versions
# differ in what they make of the same .clang-format, so no other one is asked.
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=tests/steps.sh
. tests/steps.sh

wanted=14
formatter=clang-format-$wanted
command -v $formatter >/dev/null || formatter=clang-format
version=$($formatter --version 2>/dev/null |
  sed -n 's/.*version \([0-9]*\).*/\1/p' || true)
if [ "$version" != $wanted ]; then
  say "The format is not checked: it needs clang-format $wanted," \
    "and here is ${version:-none}."
  exit 0
fi

how=(--dry-run -Werror)
[ "${1:-}" != --fix ] || how=(-i)
find gst model pipelines tests -name '*.[ch]' ! -path 'tests/data/*' -print0 |
  xargs -0 "$formatter" "${how[@]}"
