#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# What summary.py counts in logs that meson wrote of programs made to crash,
# hang, leak, skip, end early and pass; counted by hand.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# closes NAME LINE STATUS ARGUMENT...: how summary.py must end.
n=0
closes () {
  local name=$1 line=$2 expected=$3 status=0
  shift 3
  n=$((n + 1))
  "$here/summary.py" "$@" >"$work/out" || status=$?
  if [ "$(tail -n 1 "$work/out")" = "$line" ] && [ $status -eq "$expected" ]
  then
    echo "ok $n /summary/$name"
  else
    echo "not ok $n /summary/$name"
    sed 's/^/# /' "$work/out"
    echo "# status $status; expected $expected and '$line'"
  fi
}

log=$here/data/testlog/mixed.json
grep -e plain -e allskip "$log" >"$work/good.json"
grep -e allskip "$log" >"$work/skipped.json"

echo 1..5
closes every-case-and-every-crash-counts \
  "7 passed, 8 failed, 4 skipped" 1 --status 1 "$log"
closes skips-do-not-fail "1 passed, 0 failed, 1 skipped" 0 "$work/good.json"
closes only-skips-are-a-failure "0 passed, 0 failed, 1 skipped" 1 \
  "$work/skipped.json"
closes no-log-is-a-failure "0 passed, 0 failed" 1 "$work/none.json"
closes meson-s-own-failure-counts "1 passed, 1 failed, 1 skipped" 1 \
  --status 1 "$work/good.json"
