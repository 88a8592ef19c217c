#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
set -euo pipefail

usage () {
  cat <<'EOF'
tests/bench/cameras.sh [OPTION]... [ROW]...

How many cameras, and how well they are served, as Markdown with our goals. ROW
is one of lateness, many, batching, cores, cores-1080p, cores-mjpeg, storms and
reconnects; without one, all of them. A row takes a minute or two.

  --quick          shorter
  --soak MINUTES   also a row of streams in trouble for so long
  --model FOLDER   the model (one of the size of ViT-B/32 with random weights)
  --build FOLDER   where everything is built (build)

CLIP_BENCH_RUN: a command to put before each measurement, such as
"taskset -c 0,1"; the cameras' server runs without it.
EOF
}

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/steps.sh
. "$here/../steps.sh"
# shellcheck source=tests/bench/rows.sh
. "$here/rows.sh"

build=$here/../../build
model=
quick=no
soak=
rows=()
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=yes ;;
  --soak) soak=${2:?--soak needs minutes} && shift ;;
  --model) model=${2:?--model needs a folder} && shift ;;
  --build) build=${2:?--build needs a folder} && shift ;;
  -h | --help) usage && exit 0 ;;
  lateness | many | batching | cores | cores-1080p | cores-mjpeg | storms | \
    reconnects) rows+=("$1") ;;
  *) die "'$1' is neither an option nor a row; --help lists them" ;;
  esac
  shift
done
if [ ${#rows[@]} -eq 0 ]; then
  rows=(lateness many batching cores cores-1080p cores-mjpeg storms
    reconnects)
fi
build=$(cd "$build" && pwd)
read -ra before <<<"${CLIP_BENCH_RUN:-}"
export GST_PLUGIN_PATH=$build/gst
server=
work=$(mktemp -d)
trap 'stop_server; rm -rf "$work" "$generated"' EXIT

generated=
if [ -z "$model" ]; then
  generated=$("$build/tests/clip-model" ViT-B/32)
  model=$generated
fi

# measured COMMAND...
measured () {
  say "$(basename "$1") ${*:2}"
  "${before[@]}" "$@" </dev/null 2>"$work/errors" || die "$(cat "$work/errors")"
}

# --- cameras ---

# start_server N CODEC WIDTH HEIGHT: cameras of 15 frames a second with a key
# frame a second, whose addresses are in $work/uris when it returns.
start_server () {
  serve "$work/uris" "$1" --codec "$2" --width "$3" --height "$4" --rate 15 \
    --gop 15
}

stop_server () {
  [ -n "$server" ] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}

# watch DECODE SECONDS: all cameras of the server at one result a second; the
# summary is in $work/summary, all of them together in its last line.
watch () {
  {
    printf '[defaults]\nmodel = %s\nprompts = a person | an empty street\n' \
      "$model"
    printf 'rate = 1/1\ntransport = tcp\n\n'
    awk '{ printf "[camera-%d]\nuri = %s\n", NR, $0 }' "$work/uris"
  } >"$work/cameras"
  measured "$build/pipelines/cameras/clip-cameras" --quiet --summary \
    --decode "$1" --warm-up 5 --seconds $((5 + $2)) "$work/cameras" \
    >"$work/summary"
}

# --- rows ---

seconds=20
[ $quick = no ] || seconds=10

lateness () {
  local found
  found=$(measured "$build/tests/clip-lateness-bench" --rounds 3 \
    --seconds $((seconds / 3)) \
    --properties "model=$model max-inference-rate=2/1" |
    sed -E 's/ +[0-9]+ frames, ([0-9.]+) a second, at the sink late by p50 [0-9.]+ p99 ([0-9.]+) .*shown late by p50 [0-9.]+ p99 ([0-9.]+) .*/: \1 frames a second, p99 \2 ms late at the sink, \3 when shown/')
  row '1 camera, 1080p30 NV12, 2 results a second' \
    "$(tr '\n' ';' <<<"$found" | sed 's/;$//; s/;/; /g')" \
    'p99 within 1 ms of without, no frame lost'
}

many () {
  local rates
  start_server 16 h264 1280 720
  watch all $seconds
  stop_server
  mapfile -t rates < <(sed -n '/"camera":/s/.*"results-per-second":\([0-9.]*\).*/\1/p' \
    "$work/summary" | sort -g)
  row '16 cameras, H.264 720p15, 1 result a second asked of each' \
    "$(calc '%.2f to %.2f results a second, %.1f frames' \
      "${rates[0]}, ${rates[-1]},
       $(value "$(tail -n 1 "$work/summary")" frames-per-second) / 16")" \
    '≥ 0.95 each, or within 20 % of each other'
}

batching () {
  local ratio
  ratio=$(measured "$build/tests/clip-streams-bench" --streams 8 --rounds 3 \
    --seconds $((seconds / 4)) | sed -n 's|^batched / alone: \([0-9.]*\);.*|\1|p')
  row '8 streams, results a second in batches against one by one' "$ratio x" \
    '≥ 1.15 x'
}

# cores_of NAME N CODEC WIDTH HEIGHT DECODE...
cores_of () {
  local name=$1 n=$2 decode sum
  start_server "$n" "${@:3:3}"
  for decode in "${@:6}"; do
    watch "$decode" $seconds
    sum=$(tail -n 1 "$work/summary")
    row "$name, $decode decoded, 1 result a second: cameras a core" \
      "$(calc '%.1f (%d cameras: %.2f CPUs, %.2f results a second each)' \
        "$n * $(value "$sum" seconds) / $(value "$sum" cpu-seconds), $n,
         $(value "$sum" cpu-seconds) / $(value "$sum" seconds),
         $(value "$sum" results-per-second) / $n")" \
      'as many as can be'
  done
  stop_server
}

cores () {
  cores_of 'H.264 720p15' 8 h264 1280 720 all keyframes
}

cores-1080p () {
  cores_of 'H.264 1080p15' 4 h264 1920 1080 all keyframes
}

cores-mjpeg () {
  cores_of 'M-JPEG 720p15' 8 mjpeg 1280 720 all keyframes
}

# storm PROMPTS: milliseconds below which 99 of 100 pictures of the streams are
# back while somebody sets so many prompts ten times a second.
storm () {
  measured "$build/tests/clip-streams-bench" --streams 4 --rate 2 --rounds 1 \
    --seconds $((seconds / 4)) --prompts "$1" |
    sed -n 's/.*, batched .* p99 \([0-9.]*\).*/\1/p'
}

# In turns: a machine's speed wanders.
storms () {
  local quiet noisy ratios=()
  for _ in 1 2 3; do
    quiet=$(storm 0)
    noisy=$(storm 20)
    ratios+=("$(calc %.2f "$noisy / $quiet")")
  done
  row '4 streams at 2 a second, 20 prompts set ten times a second: p99 against none' \
    "$(median "${ratios[@]}") x (${ratios[*]})" 'near 1 x'
}

reconnects () {
  local found
  found=$(CLIPFILTER_TEST_LONG=1 GST_REGISTRY=$work/registry \
    CLIPFILTER_TEST_SRCDIR=$here/.. MALLOC_ARENA_MAX=1 \
    measured "$build/tests/live/test-live-reconnect")
  row '50 reconnects to a camera that was killed: first result after the first frame' \
    "$(sed -n 's/.*result \([0-9.]*\) ms later/\1/p' <<<"$found" | sort -g |
      awk '{ a[NR] = $1 } END { printf "p50 %.1f, at most %.1f ms", a[int ((NR + 1) / 2)], a[NR] }')" \
    '≤ 1 s and an inference'
  row 'bytes that stay of each' \
    "$(sed -n 's/.*connections, \(with[a-z ]*\): of each stay \(-\{0,1\}[0-9]*\) +- \([0-9]*\) bytes in use.*/\1 \2 ± \3/p' <<<"$found" |
      paste -sd';' | sed 's/;/; /g')" 'none of ours'
}

soaked () {
  local status=0
  "${before[@]}" "$build/tests/live/clip-soak" --minutes "$soak" \
    >"$work/soak" 2>&1 || status=$?
  cat "$work/soak" >&2
  row "streams in trouble for $soak minutes" \
    "$(tail -n 1 "$work/soak"); $(sed -n 's/ (at most.*//; s/^memory: //p' "$work/soak")" \
    'no pause over 2 s, ≤ 1 byte a frame'
}

# shellcheck disable=SC2016
printf '%s CPUs, %s; `tests/bench/cameras.sh`.\n\n' "$(nproc)" \
  "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
printf '| what | found | goal |\n|---|---|---|\n'
for name in "${rows[@]}"; do
  "$name"
done
[ -z "$soak" ] || soaked
