#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# pictures.sh [--no-install] FOLDER: links or unpacks into FOLDER the
# photographs of Debian's python3-skimage that expected.json of the
# demonstration model has reference values for. The package itself would bring
# forty others, so where it is not installed only its archive is fetched and
# the pictures are taken from it.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/steps.sh
. "$here/steps.sh"

package=python3-skimage
inside=usr/lib/python3/dist-packages/skimage/data
pictures=(astronaut.png camera.png chelsea.png clock_motion.png coffee.png
  rocket.jpg)

fetch=yes
if [ "${1-}" = --no-install ]; then
  fetch=no
  shift
fi
[ $# -eq 1 ] || die "give the folder for the pictures"
mkdir -p "$1"
folder=$(cd "$1" && pwd)

complete () {
  local picture
  for picture in "${pictures[@]}"; do
    [ -e "$folder/$picture" ] || return 1
  done
}

complete && exit 0
if [ -d "/$inside" ]; then
  for picture in "${pictures[@]}"; do
    ln -sf "/$inside/$picture" "$folder/$picture"
  done
  complete && exit 0
fi
if [ "$fetch" = no ] || ! command -v apt-get >/dev/null; then
  say "The photographs of $package are not here; what needs them is skipped."
  exit 0
fi

unpack () {
  cd "$folder"
  apt-get download -q "$package"
  dpkg-deb --fsys-tarfile ${package}_*.deb |
    tar -x --strip-components=7 "${pictures[@]/#/./$inside/}"
  rm -f ${package}_*.deb
}

# The archive belongs to whoever runs the tests; apt's own user may not be
# able to write here, which apt says as a warning and works all the same.
step "Fetching photographs (the archive of $package, 20 MB)" unpack ||
  say "The photographs of $package cannot be fetched; what needs them is skipped."
