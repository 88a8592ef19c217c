#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
"""report.py CLIP-BENCH: what the benchmark reports, and how it refuses.

A report is the JSON object on the last line. Whether its numbers are good is
not asked here: no test may fail because a machine is busy. But they must
agree with each other.
"""

import json
import subprocess
import sys

BENCH = sys.argv[1]
TINY = ["--arch", "TinyCLIP-8M/16", "--rounds", "3"]

# What table.sh and people with scripts of their own look for.
KEYS = {
    "mode": str,
    "arch": str,
    "precision": str,
    "threads": int,
    "batch": int,
    "encode_ms": float,
    "floor_ms": float,
    "hot_floor_ms": float,
    "ratio": float,
    "cpu_ms": float,
    "encode_gflops": float,
    "resident_mib": float,
    "packed_mib": float,
    "activation_mib": float,
    "allowed_mib": float,
    "stolen_percent": float,
    "cpu": str,
    "dnnl": str,
}

# Arguments, and what the one sentence must name.
REFUSED = {
    "an-unknown-arch": (["--arch", "ViT-Z/1"], ["ViT-Z/1", "ViT-B-32"]),
    "an-unknown-precision": (["--precision", "f8"], ["f8", "bf16"]),
    "no-threads": (["--threads", "0"], ["--threads=0", "1 to"]),
    "too-large-a-batch": (["--batch", "99"], ["--batch=99", "1 to"]),
    "no-rounds": (["--rounds", "0"], ["--rounds=0"]),
    "two-models": (["--arch", "RN50", "--model", "x"], ["--arch", "--model"]),
    "two-modes": (["--text", "--frames"], ["--text", "--frames"]),
    "no-option": (["RN50"], ["RN50"]),
    "no-model": (["--model", "/nowhere"], ["/nowhere"]),
    "an-element-without-model": (["--element", "--model", "/nowhere"], ["/nowhere"]),
    "an-element-without-words": (["--element", "--arch", "RN50"], ["--model"]),
}


def run(arguments):
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True)


def read_report(arguments):
    done = run(arguments + ["--json"])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def has_its_keys(precision="auto"):
    report = read_report(TINY + ["--precision", precision])
    for key, kind in KEYS.items():
        assert isinstance(report.get(key), kind), f"{key}: {report.get(key)}"
    assert report["arch"] == "TinyCLIP-8M/16" and report["mode"] == "speed"
    assert report["batch"] == 1 and report["threads"] == 2
    return report


def is_of_int8():
    with open("/proc/cpuinfo") as lines:
        flags = next((line.split() for line in lines if line.startswith("flags")), [])
    has_vnni = "avx512_vnni" in flags or "avx_vnni" in flags
    found = has_its_keys("int8")["precision"]
    assert (found == "int8") == has_vnni, f"{found}, VNNI: {has_vnni}"


def agrees_with_itself():
    report = read_report(TINY + ["--batch", "2", "--precision", "f32", "--threads", "1"])
    assert report["batch"] == 2 and report["threads"] == 1
    assert report["precision"] == "f32"
    for key in ("encode_ms", "floor_ms", "hot_floor_ms", "cpu_ms", "ratio"):
        assert report[key] > 0, f"{key}: {report[key]}"

    # TinyCLIP-8M/16: 10 blocks of 197 tokens, 256 wide; the last one has keys
    # and values of all, and all else of one.
    products = 197 * 256 * 256 * (3 + 1 + 4 + 4) + 2 * 197 * 197 * 256
    last = 197 * 256 * 512 + 256 * 256 * (1 + 1 + 4 + 4) + 2 * 197 * 256
    operations = 2 * (196 * 768 * 256 + 9 * products + last + 256 * 512)
    expected = 2 * operations / report["encode_ms"] / 1e6
    found = report["encode_gflops"]
    assert abs(found / expected - 1) < 1e-3, f"{found} instead of {expected} GF/s"


def refuses(name):
    arguments, words = REFUSED[name]
    done = run(arguments)
    lines = done.stderr.splitlines()
    assert done.returncode == 2, f"status {done.returncode}"
    assert len(lines) == 1 and lines[0].startswith("clip-bench: "), done.stderr
    for word in words:
        assert word in lines[0], f"'{word}' is not in '{lines[0]}'"


def main():
    cases = {
        "a-report-has-its-keys": has_its_keys,
        "a-report-of-int8-is-of-int8-where-the-cpu-has-vnni": is_of_int8,
        "a-report-agrees-with-itself": agrees_with_itself,
    }
    for name in REFUSED:
        cases[f"{name}-is-refused"] = lambda name=name: refuses(name)
    failed = False
    print(f"1..{len(cases)}")
    for i, (name, case) in enumerate(cases.items(), 1):
        try:
            case()
            print(f"ok {i} /bench/{name}")
        except (AssertionError, ValueError, IndexError) as error:
            failed = True
            print(f"not ok {i} /bench/{name}\n# {error}")
    return failed


sys.exit(main())
