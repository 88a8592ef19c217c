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
  cat <<'EOT'
pipelines/cameras.sh [--no-install] [OPTION]... FILE

Watches the cameras that FILE lists; README.md, "Many cameras", tells how to
write it. What is needed is installed (unless --no-install says not to) and
built first. The options are those of the program itself:

EOT
}

install=()
if [ "${1:-}" = --no-install ]; then
  install=(--no-install)
  shift
fi
help=no
case ${1:-} in
  -h | --help) help=yes ;;
esac

build_program cameras "${install[@]}"
[ $help = no ] || usage
exec "$root/build/pipelines/cameras/clip-cameras" "$@"
