# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# Reads every C file of the tree and prints "RULE|file:line: what is wrong".
# The first argument lists all files, so that an include can be resolved.

BEGIN {
  doors["load"] = doors["frame"] = doors["score"] = ""
  doors["engine"] = "load"
  doors["encode"] = "engine load frame"
  doors["prompt"] = "encode load"
  doors["serve"] = "encode prompt frame"
  doors["gst"] = "serve prompt frame score"
  doors["pipelines"] = "gst"
  door["gst"] = "gst/gstcliprecord.h"
  max_function = 60
  max_source = 500
  max_header = 150
}

function bad (rule, line, text) {
  print rule "|" FILENAME ":" line ": " text
}

# The room a path lies in: model/load/x.c is in load, tests/x.c in tests.
function room_of (path, parts) {
  split (path, parts, "/")
  return parts[1] == "model" ? (parts[3] == "" ? "model" : parts[2]) : parts[1]
}

function door_of (room) {
  return room in door ? door[room] : "model/" room "/" room ".h"
}

function is_door (path) {
  return path == door_of(room_of(path))
}

# Where an include is found: beside the file, or on the include path.
function resolve (name, beside) {
  beside = FILENAME
  sub (/[^\/]*$/, "", beside)
  if ((beside name) in files)
    return beside name
  if (("model/" name) in files)
    return "model/" name
  if (("tests/" name) in files)
    return "tests/" name
  return name in files ? name : ""
}

function check_include (name, quoted, room, target, other) {
  if (name ~ /(^|\/)dnnl[a-z_]*\.h/ && FILENAME != "model/engine/engine-dnnl.h")
    bad("onednn", FNR, name " belongs in model/engine/engine-dnnl.h alone")
  if (FILENAME ~ /^model\// && name ~ /^gst\//)
    bad("gstreamer", FNR, name ": model/ knows no GStreamer")
  target = resolve(name)
  if (target == "") {
    if (quoted && name != "config.h")
      bad("includes", FNR, name " is no file of this tree")
    return
  }
  room = room_of(FILENAME)
  other = room_of(target)
  if (room == other || room == "tests" || target ~ /^model\/clip-[a-z]*\.h$/)
    return
  if (!(room in doors))
    bad("includes", FNR, FILENAME " lies in no room, so it includes none")
  else if (index (" " doors[room] " ", " " other " ") == 0)
    bad("includes", FNR, room " may not enter " other " (" name ")")
  else if (!is_door(target))
    bad("includes", FNR, name " is inside " other ": include " door_of(other))
}

function check_size (limit) {
  # Doors state contracts, and the headers of tests/ hold tables of cases.
  if (previous == "" || is_door(previous) || previous ~ /^tests\/.*\.h$/)
    return
  limit = previous ~ /\.h$/ ? max_header : max_source
  if (lines > limit)
    print "files|" previous ": " lines " lines, the limit is " limit
}

FILENAME == ARGV[1] {
  files[$0]
  next
}

FNR == 1 {
  check_size()
  previous = FILENAME
  start = 0
}

{ lines = FNR }

/^[ \t]*#[ \t]*include[ \t]*["<]/ {
  name = $0
  sub (/^[^"<]*["<]/, "", name)
  sub (/[">].*/, "", name)
  check_include(name, $0 ~ /include[ \t]*"/)
}

/^[A-Za-z_].*\(/ {
  called = $0
  sub (/ *\(.*/, "", called)
  sub (/.*[ *]/, "", called)
}

/^\{/ { start = FNR }

/^\}/ && start {
  n = FNR - start - 1
  if (n > max_function && called !~ /class_init/)
    bad("functions", start, called " has " n " lines, the limit is " \
        max_function)
  start = 0
}

END { check_size() }
