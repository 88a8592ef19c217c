#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
# shellcheck source=tests/steps.sh
. "$root/tests/steps.sh"
# shellcheck source=pipelines/build.sh
. "$root/pipelines/build.sh"

usage () {
  cat <<'EOF'
pipelines/tag.sh [OPTION]... [INPUT]

Says what is in a video: a line whenever the best tag changes, and at the end
each tag's share of the time. What is needed is installed and built first.

INPUT is a video or picture file, a URI (rtsp://…, file://…), a camera
(/dev/video1, or just: camera), or nothing for the clip in pipelines/.

  --prompt TEXT  what may be in the picture, English or Chinese; once a prompt
  --model PATH   a model's folder, instead of the demonstration model
  --json         print each result as a line of JSON, and nothing else
  --no-install   install nothing
EOF
}

install=()
arguments=()
inputs=()
while [ $# -gt 0 ]; do
  case $1 in
    --prompt | --model)
      [ $# -gt 1 ] || die "$1 needs a value; --help shows how."
      arguments+=("$1=$2")
      shift
      ;;
    --prompt=* | --model=* | --json) arguments+=("$1") ;;
    --no-install) install=(--no-install) ;;
    -h | --help)
      usage
      exit 0
      ;;
    --)
      shift
      inputs+=("$@")
      break
      ;;
    -*) die "$1 is not an option; --help lists them." ;;
    *) inputs+=("$1") ;;
  esac
  shift
done
[ ${#inputs[@]} -gt 0 ] || inputs=("$root/pipelines/clip.webm")

build_program tag "${install[@]}"
exec "$root/build/pipelines/clip-tag" "${arguments[@]}" -- "${inputs[@]}"
