#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# The table of HTML's entities is the one that its script makes.
set -euo pipefail

room=$(cd "$(dirname "$0")/../model/prompt" && pwd)

echo 1..1
if ! command -v python3 >/dev/null; then
  echo 'ok 1 /entity-table/is-what-its-script-makes # SKIP python3 is missing'
elif found=$("$room/entity-table.py" | diff "$room/entity-table.c" - 2>&1); then
  echo 'ok 1 /entity-table/is-what-its-script-makes'
else
  echo 'not ok 1 /entity-table/is-what-its-script-makes'
  printf '%s\n' "$found" | head -n 20 | sed 's/^/# /'
fi
