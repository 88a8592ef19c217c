#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# trixie.sh [OPTION]... [NAME]...: tests/run.sh, with these arguments, on
# Debian 13: in a root of its own below build/trixie, made once and used again.
# The source tree is bound into it read-only. All mounts are made in a mount
# namespace of this script, so they end with it, however it ends.
set -euo pipefail

cd "$(dirname "$0")/.."
# shellcheck source=tests/steps.sh
. tests/steps.sh

self=$PWD/tests/trixie.sh
root=$PWD/build/trixie
# Unset: debootstrap's own choice.
mirror=${DEBIAN_MIRROR:-}

if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2>/dev/null ||
    die "A Debian 13 root needs mounts, so run it as root: sudo tests/trixie.sh"
  exec sudo CLIPFILTER_SHARED="${CLIPFILTER_SHARED:-}" \
    DEBIAN_MIRROR="$mirror" "$self" "$@"
fi
if [ "${CLIPFILTER_NAMESPACE:-}" != "$$" ]; then
  # exec keeps the process id, by which the second start knows itself.
  CLIPFILTER_NAMESPACE=$$ exec unshare --mount --propagation private \
    "$self" "$@"
fi

make_root () {
  command -v debootstrap >/dev/null ||
    die "debootstrap is not here: apt-get install debootstrap"
  if grep -qF " $root" /proc/self/mountinfo; then
    die "Something is mounted below $root: umount it, then start again."
  fi
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  step "Making a Debian 13 root (some minutes)" \
    debootstrap --variant=minbase trixie "$root" ${mirror:+"$mirror"} ||
    die "debootstrap failed; its reason stands above."
  touch "$root/complete"
}

# bind SOURCE TARGET: read-only.
bind () {
  mkdir -p "$root/$2"
  mount --bind "$1" "$root/$2"
  mount -o remount,bind,ro "$root/$2"
}

[ -e "$root/complete" ] || make_root

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
bind "$PWD" clipfilter
shared=${CLIPFILTER_SHARED:-$PWD/../shared}
if [ -d "$shared" ]; then
  bind "$shared" shared
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
pictures=/var/tmp/pictures
mkdir -p "$root$pictures"
if [ -d build/pictures ]; then
  cp -rL build/pictures/. "$root$pictures"
fi

inside () {
  chroot "$root" env -i HOME=/root TERM="${TERM:-dumb}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LC_ALL=C.UTF-8 CLIPFILTER_TEST_PICTURES=$pictures "$@"
}

inside /clipfilter/tests/packages/install.sh build tests trixie
inside /clipfilter/tests/run.sh --werror --build-dir /var/tmp/clipfilter "$@"
