#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
# shellcheck source=tests/steps.sh
. "$root/tests/steps.sh"

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

"$root/tests/packages/install.sh" "${install[@]}" build >&2
if [ ! -e "$root/build/build.ninja" ]; then
  step "Configuring" meson setup "$root/build" "$root" ||
    die "The build needs what tests/packages/build lists: install what the" \
      "output above says is missing, then try again."
fi
step "Building" ninja -C "$root/build" cameras ||
  die "The build failed for the reason above: remove $root/build and try" \
    "again, and if it fails again, report it."

export GST_PLUGIN_PATH=$root/build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
[ $help = no ] || usage
exec "$root/build/pipelines/cameras/clip-cameras" "$@"
