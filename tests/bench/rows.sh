#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
# shellcheck shell=bash

# What the scripts share that print measurements as Markdown, behind
# tests/steps.sh. Sourced, not run.

# value REPORT KEY: of a line of JSON.
value () {
  sed -n 's/.*"'"$2"'":"\{0,1\}\([^",}]*\).*/\1/p' <<<"$1"
}

# calc FORMAT EXPRESSION
calc () {
  awk "BEGIN { printf \"$1\", $2 }"
}

# median NUMBER...: of an odd number of them.
median () {
  printf '%s\n' "$@" | sort -g | sed -n "$((($# + 1) / 2))p"
}

# row WHAT FOUND GOAL
row () {
  printf '| %s | %s | %s |\n' "$@"
}

# serve FILE N OPTION...: N cameras by clip-rtsp-server of $build, which is
# process $server; their addresses are in FILE when it returns.
# shellcheck disable=SC2154
serve () {
  : >"$1" # of none, or of a server of before
  "$build/tests/live/clip-rtsp-server" --cameras "$2" --frames 150 \
    --seconds 900 "${@:3}" >"$1" 2>"$1.errors" &
  server=$!
  until [ "$(wc -l <"$1")" -eq "$2" ]; do
    kill -0 "$server" 2>/dev/null || die "$(cat "$1.errors")"
    sleep 0.1
  done
}
