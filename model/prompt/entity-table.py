#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

"""entity-table.py: prints entity-table.c, HTML's entities from Python's
html.entities (Debian: libpython3-stdlib)."""

from html.entities import html5

COLUMNS = 76

HEAD = """\
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: the clipfilter authors */

/* Made by entity-table.py; do not edit. */
#include "prompt/entities.h"

/* clang-format off */
const gchar clip_entity_table[] ="""


def entry(name):
    mark = "?" if name in html5 else ";"
    codes = "+".join("%x" % ord(c) for c in html5[name + ";"])
    return name + mark + codes + " "


names = sorted({name.rstrip(";") for name in html5})
lines = [""]
for word in map(entry, names):
    if len(lines[-1]) + len(word) > COLUMNS:
        lines.append("")
    lines[-1] += word
print(HEAD)
print("\n".join('  "%s"' % line for line in lines) + ";")
print("\nconst gsize clip_entity_table_size = sizeof clip_entity_table - 1;")
