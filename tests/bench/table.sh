#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors

# table.sh [--quick] [--onnx ROOT] [--build FOLDER]: how fast, as Markdown.
# Everything is measured in one run on one machine; figures of two runs are not
# to be compared. --quick: two models and few rounds. ROOT: the root of a Debian
# 13 with python3-onnx and python3-onnxruntime ("/" for this one), to be had by
# root alone. CLIP_BENCH_RUN: a command to put before each measurement, such as
# "taskset -c 0,1".
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/steps.sh
. "$here/../steps.sh"
# shellcheck source=tests/bench/rows.sh
. "$here/rows.sh"

build=$here/../../build
rounds=20
root=
quick=no
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=yes rounds=5 ;;
  --onnx) root=${2:?--onnx needs the root of a system} && shift ;;
  --build) build=${2:?--build needs a folder} && shift ;;
  *) die "'$1' is not an option: --quick, --onnx ROOT, --build FOLDER" ;;
  esac
  shift
done
bench=$build/tests/clip-bench
[ -x "$bench" ] || die "$bench is not there: ninja -C $build tests/clip-bench"
read -ra before <<<"${CLIP_BENCH_RUN:-}"

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

# bench ARGUMENT...: its report.
bench () {
  say "clip-bench $*"
  "${before[@]}" "$bench" "$@" --json </dev/null 2>"$errors" | tail -n 1
  [ ! -s "$errors" ] || die "$(cat "$errors")"
}

# speed ARCH BATCH PRECISION GOAL: a line of the first table; encode_ms stays in
# found[ARCH BATCH PRECISION].
declare -A found
speed () {
  local report
  report=$(bench --arch "$1" --batch "$2" --precision "$3" --rounds $rounds)
  [ "$(value "$report" precision)" = "$3" ] || return 0
  found[$1 $2 $3]=$(value "$report" encode_ms)
  calc '| %s | %d | %s | %.1f | %.1f | %.2f | %s | %.1f | %.0f | %.0f of %.0f |\n' \
    "\"$1\", $2, \"$3\", $(value "$report" encode_ms),
     $(value "$report" floor_ms), $(value "$report" ratio), \"$4\",
     $(value "$report" cpu_ms), $(value "$report" encode_gflops),
     $(value "$report" resident_mib), $(value "$report" allowed_mib)"
}

speeds () {
  echo '| model | batch | precision | encoder, ms | floor, ms | ratio | goal | CPU a picture, ms | GF/s | resident of allowed, MiB |'
  echo '|---|---|---|---|---|---|---|---|---|---|'
  while read -r arch batch f32 bf16 int8; do
    speed "$arch" "$batch" f32 "$f32"
    speed "$arch" "$batch" bf16 "$bf16"
    [ -z "$int8" ] || speed "$arch" "$batch" int8 "$int8"
  done
}

models () {
  cat <<'END'
ViT-B/32 1 1.15 1.30 1.6
RN50 1 1.10 1.20
END
  [ $quick = no ] || return 0
  cat <<'END'
ViT-B/32 8 1.15 1.30 1.4
ViT-B/16 1 1.15 1.30 1.35
ViT-B/16 2 1.15 1.30 1.35
ViT-L/14 1 1.15 1.30 1.35
ViT-L/14@336px 1 1.15 1.35
RN50 4 1.10 1.20
RN101 1 1.10 1.20
END
}

# f32 and bf16 in turns: a machine's speed wanders.
gain () {
  local f32 bf16 ratios=()
  for _ in 1 2 3; do
    f32=$(bench --arch "$1" --precision f32 --rounds 5)
    bf16=$(bench --arch "$1" --precision bf16 --rounds 5)
    [ "$(value "$bf16" precision)" = bf16 ] || return 0
    ratios+=("$(calc %.3f "$(value "$f32" encode_ms) / $(value "$bf16" encode_ms)")")
  done
  row "$1, bf16 against f32" "$(median "${ratios[@]}") x" '≥ 1.7 x'
}

gains () {
  gain ViT-B/32
  [ $quick = no ] || return 0
  gain ViT-B/16
  gain ViT-L/14
  row 'RN50 f32, a picture of batch 4 against batch 1' \
    "$(calc %.2f "${found[RN50 4 f32]} / 4 / ${found[RN50 1 f32]}") x" '≤ 1 x'
}

# One thread and two in turns as well.
threads () {
  local arch=ViT-B/16 one two faster=() dearer=()
  [ $quick = no ] || arch=ViT-B/32
  for _ in 1 2 3; do
    one=$(bench --arch $arch --precision f32 --threads 1 --rounds 5)
    two=$(bench --arch $arch --precision f32 --threads 2 --rounds 5)
    faster+=("$(calc %.3f "$(value "$one" encode_ms) / $(value "$two" encode_ms)")")
    dearer+=("$(calc %.3f "$(value "$two" cpu_ms) / $(value "$one" cpu_ms)")")
  done
  row "$arch f32, 2 threads against 1" "$(median "${faster[@]}") x" '≥ 1.7 x'
  row "$arch f32, CPU time of 2 threads against 1" "$(median "${dearer[@]}") x" \
    '≤ 1.15 x'
}

texts () {
  local report
  report=$(bench --text --arch ViT-B/32)
  row 'ViT-B/32, 1,000 short prompts against full contexts' \
    "$(calc '%.3f (%.0f of %.0f ms)' "$(value "$report" text_ratio),
      $(value "$report" text_short_ms), $(value "$report" text_full_ms)")" '≤ 0.2'
  row 'ViT-B/32, packed before the first prompt and with it' \
    "$(calc '%.0f and %.0f MiB' "$(value "$report" packed_before_text_mib),
      $(value "$report" packed_with_text_mib)")" 'the text side only then'
}

loads () {
  local report arch
  for arch in ViT-B/32 RN50; do
    report=$(bench --load --arch $arch --precision f32 --rounds 5)
    row "$arch f32, load from the page cache against read and pack" \
      "$(calc '%.2f (%.0f ms)' "$(value "$report" load_ratio),
        $(value "$report" open_ms) + $(value "$report" pack_ms)")" '≤ 1.5'
  done
}

frames () {
  local report line goal
  report=$(bench --frames --rounds $rounds)
  while read -r line; do
    goal='≤ the converter'
    [ "$(value "$line" size)" = 4k ] || goal='≤ 1.5 ms and the converter'
    row "$(value "$line" size) $(value "$line" format) to $(value "$line" side), one thread" \
      "$(calc '%.2f ms, GstVideoConverter %.2f' \
        "$(value "$line" ms), $(value "$line" converter_ms)")" "$goal"
  done < <(grep -o '{"size"[^}]*}' <<<"$report")
}

element () {
  local report mode
  report=$(bench --element --rounds 50)
  for mode in wait latest; do
    [ -n "$(value "$report" ${mode}_due_p50_us)" ] || continue
    row "a frame not due, 1080p NV12, inference-mode=$mode" \
      "$(calc 'p50 %.0f, p99 %.0f µs' "$(value "$report" ${mode}_not_due_p50_us),
        $(value "$report" ${mode}_not_due_p99_us)")" 'p99 ≤ 50 µs'
  done
}

# onnx_time REPORT: milliseconds. The mounts are this command's own. What onnx
# and ONNX Runtime say of each other's operators in one process is no error.
onnx_time () {
  local report
  # shellcheck disable=SC2016
  report=$("${before[@]}" unshare -m sh -c '
    if [ "$1" != / ]; then
      mount --bind /proc "$1/proc" && mount --bind /sys "$1/sys" || exit 1
    fi
    exec chroot "$1" python3 - "$2" "$3"' sh "$root" "$1" $rounds \
    <"$here/onnx-time.py" 2>"$errors") || die "$(tail -n 5 "$errors")"
  value "$report" onnx_ms | tr -d ' '
}

# onnx ARCH PRECISION GOAL: in turns, as threads are.
onnx () {
  local report ratios=()
  for _ in 1 2 3; do
    report=$(bench --arch "$1" --precision "$2" --rounds 10)
    [ "$(value "$report" precision)" = "$2" ] || return 0
    say "ONNX Runtime $1"
    ratios+=("$(calc %.3f "$(onnx_time "$report") / $(value "$report" encode_ms)")")
  done
  row "$1 $2, against ONNX Runtime in f32" "$(median "${ratios[@]}") x as fast" "$3"
}

onnxes () {
  [ -n "$root" ] || return 0
  onnx ViT-B/32 f32 '≥ 1.1 x'
  onnx ViT-B/32 bf16 '≥ 1.8 x'
  onnx RN50 f32 '≥ 1 x'
  onnx RN50 bf16 '≥ 1.8 x'
  [ $quick = no ] || return 0
  onnx ViT-B/16 f32 '≥ 1.1 x'
  onnx ViT-B/16 bf16 '≥ 1.8 x'
}

machine=$(bench --arch TinyCLIP-8M/16 --rounds 1)
# shellcheck disable=SC2016
printf '%s, %s CPUs, %s, 2 threads where nothing else is said; `tests/bench/table.sh`.\n\n' \
  "$(value "$machine" cpu)" "$(nproc)" \
  "$(sed -n 's/.*"dnnl":"\([^"]*\)".*/\1/p' <<<"$machine")"
speeds < <(models)
printf '\n| what | found | goal |\n|---|---|---|\n'
gains
threads
texts
loads
frames
element
onnxes
