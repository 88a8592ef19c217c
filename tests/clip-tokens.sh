#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# clip-tokens over the demonstration model; the ids are those of its
# expected.json.
set -euo pipefail

tokens=$1
model=$(cd "$(dirname "$0")/../pipelines/demo-model" && pwd)

# answers NAME STATUS INPUT OUTPUT [MODEL]: OUTPUT is a pattern.
n=0
answers () {
  local status=0 found
  n=$((n + 1))
  found=$(printf '%b' "$3" | "$tokens" "${5:-$model}" 2>&1) || status=$?
  # shellcheck disable=SC2053
  if [ $status -eq "$2" ] && [[ $found == $4 ]]; then
    echo "ok $n /clip-tokens/$1"
  else
    echo "not ok $n /clip-tokens/$1"
    printf '%s\n' "status $status" "$found" | sed 's/^/# /'
  fi
}

echo 1..8
answers a-line-is-an-array 0 '"a photo of a cat"\n"一张猫的照片"\n' \
  '\[2, 43, 1170, 1096, 43, 388, 3\]'$'\n''\[2, 1808, 2333, 2767, 2808, 2734, 2743, 3\]'
answers escapes-are-json 0 '"\\u4e00\\u5f20\\u732b\\u7684\\u7167\\u7247"' \
  '\[2, 1808, 2333, 2767, 2808, 2734, 2743, 3\]'
answers nul-is-dropped 0 '"a ph\\u0000oto of a cat"' \
  '\[2, 43, 1170, 1096, 43, 388, 3\]'
answers nothing-is-start-and-end 0 '""\n' '\[2, 3\]'
answers what-is-no-string-is-an-error 1 '["a"]\n"a photo of a dog"\n' \
  '{"error": "not a JSON string"}'$'\n''\[2, 43, 1170, 1096, 43, 555, 3\]'
answers what-is-no-json-is-an-error 1 'cat\n"\n\n' \
  '{"error": "*"}'$'\n''{"error": "*"}'$'\n''{"error": "*"}'
answers invalid-utf8-is-an-error 1 '"a\xffb"\n"\\ud800"\n""\n' \
  '{"error": "*"}'$'\n''{"error": "*"}'$'\n''\[2, 3\]'
answers a-missing-model-is-one-sentence 2 '""\n' \
  'clip-tokens: */nowhere*' /nowhere
