#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# Who may include whom, how long files and functions may be, and that each
# rule finds a violation planted in a copy. rooms.awk holds the rules.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)

# Every C file below $1, then what is wrong with them.
violations () (
  cd "$1"
  find gst model pipelines tests -name '*.[ch]' ! -path 'tests/data/*' |
    sort >"$work/files"
  mapfile -t files <"$work/files"
  awk -f "$here/rooms.awk" "$work/files" "${files[@]}"
  find gst model pipelines tests \( -name '*.[ch]' -o -name '*.sh' \
    -o -name '*.py' -o -name '*.awk' -o -name meson.build \) \
    -exec grep -L 'SPDX-License-Identifier: LGPL-2.1-or-later' {} + |
    sed 's/.*/licence|&: no SPDX-License-Identifier/' || true
)

# ok NAME LINES: one case, failed when there is any line.
n=0
ok () {
  n=$((n + 1))
  if [ -z "$2" ]; then
    echo "ok $n /rooms/$1"
  else
    echo "not ok $n /rooms/$1"
    printf '%s\n' "$2" | sed 's/^/# /'
  fi
}

# plant NAME FILE TEXT RULE: TEXT as a new FILE must be found to break RULE.
plant () {
  local name=$1 file=$work/tree/$2 found
  mkdir -p "$(dirname "$file")"
  printf '%s\n' "$3" >"$file"
  [ "$4" = licence ] ||
    echo '/* SPDX-License-Identifier: LGPL-2.1-or-later */' >>"$file"
  found=$(violations "$work/tree")
  rm "$file"
  if grep -q "^$4|.*$2:" <<<"$found"; then
    ok "$name" ""
  else
    ok "$name" "planted in $2, expected '$4', found '$found'"
  fi
}

repeat () {
  printf "%0.s$1\n" $(seq "$2")
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo 1..19
found=$(violations "$here/..")
while read -r rule name; do
  ok "$name" "$(sed -n "s/^$rule|//p" <<<"$found")"
done <<'EOF'
includes each-room-enters-only-where-it-may-and-by-the-door
gstreamer model-knows-no-gstreamer
onednn onednn-stands-behind-one-header
functions no-function-is-longer-than-sixty-lines
files no-file-is-too-long
licence each-file-names-its-licence
EOF

mkdir "$work/tree"
(cd "$here/.." && find gst model pipelines tests -name '*.h' \
  -exec cp --parents -t "$work/tree" {} +)
mkdir -p "$work/tree"/{gst,model,pipelines,tests}

plant load-entering-engine-is-found model/load/planted.c \
  '#include "engine/engine.h"' includes
plant prompt-entering-engine-is-found model/prompt/planted.c \
  '#include "../engine/engine.h"' includes
plant gst-entering-load-is-found gst/planted.c \
  '#include <load/load.h>' includes
plant past-the-door-is-found model/encode/planted.h \
  '#include "load/tensor.h"' includes
plant past-the-door-of-gst-is-found pipelines/planted.c \
  '#include "gst/gstclipfilter.h"' includes
plant a-file-outside-the-rooms-is-found model/planted.c \
  '#include "load/load.h"' includes
plant an-unknown-include-is-found model/score/planted.c \
  '#include "planted-nowhere.h"' includes
plant gstreamer-in-model-is-found model/serve/planted.c \
  '#include <gst/gst.h>' gstreamer
plant onednn-elsewhere-is-found model/engine/planted.c \
  '#  include <oneapi/dnnl/dnnl.h>' onednn
plant a-long-function-is-found gst/planted.c \
  "$(printf 'void\nplanted (void)\n{\n%s\n}' "$(repeat '  ;' 61)")" functions
plant a-long-source-is-found model/frame/planted.c "$(repeat ';' 500)" files
plant a-long-header-is-found model/frame/planted.h "$(repeat ';' 150)" files
plant a-file-without-a-licence-is-found tests/planted.c '/* nothing */' licence

[ $n -eq 19 ]
