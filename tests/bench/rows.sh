#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
# shellcheck shell=bash

# What the scripts share that print measurements as Markdown. Sourced, not run.

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
