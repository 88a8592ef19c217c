# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
# shellcheck shell=bash

# What the scripts here begin with. Sourced, after tests/steps.sh and with
# $root set; not run.

# build_program TARGET [--no-install]: installs what is missing and builds, so
# that GStreamer finds the plugin.
# shellcheck disable=SC2154
build_program () {
  local target=$1
  shift
  "$root/tests/packages/install.sh" "$@" build >&2
  if [ ! -e "$root/build/build.ninja" ]; then
    step "Configuring" meson setup "$root/build" "$root" ||
      die "The build needs meson, ninja, a C compiler and the development" \
        "files of GStreamer 1.22 with its base plugins, oneDNN, jansson," \
        "libzip, zlib and xxHash:" \
        "install what the output above says is missing, then try again."
  fi
  step "Building" ninja -C "$root/build" "$target" ||
    die "The build failed for the reason above: remove $root/build and try" \
      "again, and if it fails again, report it."
  export GST_PLUGIN_PATH=$root/build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}
}
