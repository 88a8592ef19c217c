# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
"""Where the programs of pipelines/ run in tests, and their cases as TAP."""

import os
import pathlib
import shutil
import sys
import tempfile
import traceback

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ['CLIPFILTER_TEST_BUILDDIR']).parent
CLIP = SOURCE / 'pipelines' / 'clip.webm'

WORK = pathlib.Path(tempfile.mkdtemp())
ENV = dict(os.environ, GST_PLUGIN_PATH=str(BUILD / 'gst'),
           GST_REGISTRY=str(WORK / 'registry'), LC_ALL='C.UTF-8')
# GLib abandons its table of quarks when 2048 are too few, which they are with
# all of GStreamer's plugins; LeakSanitizer cannot tell that from our leaks.
ENV['ASAN_OPTIONS'] = ENV.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
# The suites need our plugin alone; these programs decode files.
ENV.pop('GST_PLUGIN_SYSTEM_PATH_1_0', None)


def run_cases(suite, cases):
    """Those that the command line names, or all. A case returns why it was
    skipped, or None. Returns what the program ends with."""
    failed = 0
    chosen = [case for case in cases
              if len(sys.argv) < 2 or case.__name__ in sys.argv[1:]]
    print(f'1..{len(chosen)}')
    for number, case in enumerate(chosen, 1):
        name = f'/{suite}/' + case.__name__.replace('_', '-')
        try:
            skip = case()
        except Exception:  # whatever goes wrong, the other cases run
            failed += 1
            print(f'not ok {number} {name}')
            for line in traceback.format_exc().splitlines():
                print(f'# {line}')
        else:
            print(f'ok {number} {name}' + (f' # SKIP {skip}' if skip else ''))
        sys.stdout.flush()
    shutil.rmtree(WORK)
    return 1 if failed else 0
