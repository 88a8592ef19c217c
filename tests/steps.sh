# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
# shellcheck shell=bash

# What the scripts share: steps that say what they are when they take longer
# than two seconds and show their output when they fail. Sourced, not run.

export LC_ALL=C.UTF-8

say () {
  printf '%s\n' "$*" >&2
}

die () {
  say "$(basename "$0"): $*"
  exit 1
}

# step NAME COMMAND...: its output is shown only when it fails.
step () {
  local name=$1 log pid status=0 begun=$SECONDS told=no
  shift
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  trap 'kill "$pid" 2>/dev/null; rm -f "$log"; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.1
    [ $((SECONDS - begun)) -ge 2 ] || continue
    if [ -t 2 ]; then
      printf '\r%s … %d s ' "$name" $((SECONDS - begun)) >&2
    elif [ "$told" = no ]; then
      say "$name …"
    fi
    told=yes
  done
  wait "$pid" || status=$?
  trap - INT TERM
  if [ "$told" = yes ] && [ -t 2 ]; then
    printf '\r\033[K' >&2
  fi
  if [ "$status" -ne 0 ]; then
    cat "$log" >&2
    say "$name: failed with exit status $status"
  fi
  rm -f "$log"
  return "$status"
}
