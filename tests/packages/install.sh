#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# install.sh [--no-install] LIST...: installs the Debian packages of the lists
# beside it that are not there yet, and says which before it does.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/steps.sh
. "$here/../steps.sh"

install=yes
lists=()
for argument; do
  case $argument in
    --no-install) install=no ;;
    *) lists+=("$here/$argument") ;;
  esac
done

if ! command -v dpkg-query >/dev/null; then
  say "This is not a Debian system, so nothing is installed; what is needed" \
    "stands in $here."
  exit 0
fi

mapfile -t wanted < <(grep -hv '^#' "${lists[@]}")
mapfile -t missing < <(
  comm -23 <(printf '%s\n' "${wanted[@]}" | sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" \
      2>/dev/null | sed -n 's/^installed //p' | sort -u))
[ ${#missing[@]} -gt 0 ] || exit 0

say "Packages that are missing: ${missing[*]}"
if [ "$install" = no ]; then
  say "Going on without them, as --no-install says."
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  by_hand="run: apt-get install ${missing[*]}"
  command -v sudo >/dev/null ||
    die "Installing needs root and there is no sudo. As root, $by_hand"
  if [ -t 0 ]; then
    sudo -v || die "Installing needs sudo. As root, $by_hand"
  else
    sudo -n true 2>/dev/null ||
      die "Installing needs sudo, which asks for a password. As root, $by_hand"
  fi
  as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq
  -o DPkg::Lock::Timeout=300)
# One unreachable source among several does not mean that these are missing.
step "Reading the package lists" "${apt[@]}" update || true
step "Installing ${#missing[@]} packages" \
  "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" ||
  die "The packages could not be installed; apt-get's reason stands above."
