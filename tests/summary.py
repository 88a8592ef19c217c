#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
"""Counts the single cases of a `meson test` run and shows what failed.

Three kinds of programs are told apart by what they print:
  TAP lines                 each `ok` and `not ok` is a case, `# SKIP` a skipped
  libcheck's closing lines  `100%: Checks: 2, Failures: 0, Errors: 0`; a line
                            `# SKIP reason` takes one case from the passed
  neither                   the program is one case
A program that crashed, timed out, leaked or ended early has at least one
failure, whatever it printed before.
"""

import argparse
import collections
import json
import os
import re
import sys

TAP = re.compile(r"^(not ok|ok)\b(?P<text>[^#]*)(#\s*(?P<mark>\w+)\s*(?P<why>.*))?$")
ALL_SKIPPED = re.compile(r"^1\.\.0\s*#\s*SKIP\S*\s*(?P<why>.*)$", re.IGNORECASE)
CHECK = re.compile(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)")
SKIP = re.compile(r"^# SKIP\b\s*(?P<why>.*)$")
GOOD_RESULTS = ("OK", "SKIP", "EXPECTEDFAIL")
SHOWN_LINES = 200


class Program:
    def __init__(self, entry):
        self.name = entry["name"]
        self.result = entry["result"]
        self.status = entry.get("returncode", 0)
        self.stdout = entry.get("stdout", "")
        self.stderr = entry.get("stderr", "")
        self.passed = self.failed = 0
        self.skips = []
        self.count()

    def count(self):
        lines = self.stdout.splitlines()
        tap = [match for match in map(TAP.match, lines) if match]
        checks = [match for match in map(CHECK.search, lines) if match]
        if tap:
            self.count_tap(tap)
        elif checks:
            self.count_checks(checks)
        elif self.result == "SKIP":
            why = [m["why"] for m in map(ALL_SKIPPED.match, lines) if m]
            self.skips.append(why[0] if why else "the whole program")
        elif self.result in GOOD_RESULTS:
            self.passed = 1
        if self.result not in GOOD_RESULTS and self.failed == 0:
            self.failed = 1

    def count_tap(self, cases):
        for case in cases:
            mark = (case["mark"] or "").lower()
            if mark.startswith("skip") or mark == "todo":
                self.skips.append(case["why"] or case["text"].strip())
            elif case[1] == "ok":
                self.passed += 1
            else:
                self.failed += 1

    def count_checks(self, checks):
        for check in checks:
            total, failures, errors = map(int, check.groups())
            self.passed += total - failures - errors
            self.failed += failures + errors
        printed = (self.stdout + "\n" + self.stderr).splitlines()
        self.skips = [m["why"] for m in map(SKIP.match, printed) if m]
        self.passed -= len(self.skips)

    def show(self):
        print(f"---- {self.name}: {self.result}, {self.failed} failed, "
              f"exit status {self.status}")
        text = self.stdout.rstrip().splitlines()
        text = [line for line in text if not re.match(r"^ok\b", line)]
        text += self.stderr.rstrip().splitlines()
        if len(text) > SHOWN_LINES:
            print(f"({len(text) - SHOWN_LINES} lines more in the test log)")
        print("\n".join(text[-SHOWN_LINES:]))


def read(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", errors="replace") as log:
        return [Program(json.loads(line)) for line in log if line.strip()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--status", type=int, default=0,
                        help="the exit status of meson test")
    parser.add_argument("log", help="meson-logs/testlog.json")
    arguments = parser.parse_args()

    programs = read(arguments.log)
    passed = sum(program.passed for program in programs)
    failed = sum(program.failed for program in programs)
    skips = collections.Counter(why for program in programs
                                for why in program.skips)
    for program in programs:
        if program.failed > 0:
            program.show()
    if failed == 0 and arguments.status != 0:
        print(f"meson test ended with status {arguments.status}")
        failed = 1
    if passed + failed == 0:
        print("No test has run.")
    for why, count in skips.items():
        print(f"skipped: {count} × {why}")
    skipped = sum(skips.values())
    print(f"{passed} passed, {failed} failed" +
          (f", {skipped} skipped" if skipped else ""))
    return 1 if failed > 0 or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
