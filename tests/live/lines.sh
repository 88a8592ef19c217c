#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
set -euo pipefail

usage () {
  cat <<'EOF'
tests/live/lines.sh [OPTION]... [PART]

What becomes of the frames of lines that people type on the first day, without a
queue or anything else around clipfilter, as Markdown; PART runs those alone
whose name has it.

  --seconds S      of each (10)
  --model FOLDER   the model (one of the size of ViT-B/32 with random weights)
  --build FOLDER   where everything is built (build)

CLIP_BENCH_RUN: a command to put before each line; the camera runs without it.
EOF
}

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/steps.sh
. "$here/../steps.sh"
# shellcheck source=tests/bench/rows.sh
. "$here/../bench/rows.sh"

build=$here/../../build
seconds=10
model=
part=
while [ $# -gt 0 ]; do
  case $1 in
  --seconds) seconds=${2:?--seconds needs a number} && shift ;;
  --model) model=${2:?--model needs a folder} && shift ;;
  --build) build=${2:?--build needs a folder} && shift ;;
  -h | --help) usage && exit 0 ;;
  -*) die "'$1' is not an option; --help lists them" ;;
  *) part=$1 ;;
  esac
  shift
done
build=$(cd "$build" && pwd)
read -ra before <<<"${CLIP_BENCH_RUN:-}"
export GST_PLUGIN_PATH=$build/gst
work=$(mktemp -d)
generated=
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; rm -rf "$work" "$generated"' EXIT
if [ -z "$model" ]; then
  generated=$("$build/tests/clip-model" ViT-B/32)
  model=$generated
fi

# camera CODEC WIDTH HEIGHT RATE: its address is in $work/CODEC.
camera () {
  serve "$work/$1" 1 --codec "$1" --width "$2" --height "$3" --rate "$4" \
    --gop "$4"
  servers+=("$server")
}

# What autovideosink would do where there is a screen: frames that are 5 ms late
# are not shown.
screen='fakesink name=sink sync=true qos=true max-lateness=5000000'

# line NAME LAUNCH: CLIP stands for clipfilter with a model and prompts.
line () {
  [[ $1 == *"$part"* ]] || return 0
  say "$2"
  "${before[@]}" "$build/tests/live/clip-line" --seconds "$seconds" "$1" \
    "${2//CLIP/clipfilter name=f model=$model prompts=\"a person | an empty room\"}" \
    </dev/null || printf '| %s | failed | | | | |\n' "$1"
}

camera h264 1280 720 25
camera mjpeg 1280 720 25
h264="rtspsrc location=$(cat "$work/h264")"
mjpeg="rtspsrc location=$(cat "$work/mjpeg")"
# A webcam's frames at no cost; the machine that this was made on has none.
webcam='videotestsrc num-buffers=1 ! imagefreeze is-live=true !
  video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1'
file="filesrc location=$here/../../pipelines/clip.webm ! decodebin"

echo '| line | frames/s in | out | dropped | latency, ms | results/s |'
echo '|---|---|---|---|---|---|'
line 'webcam 1080p30 ! clipfilter ! screen' "$webcam ! CLIP ! $screen"
line 'webcam ! videoconvert ! clipfilter inference-interval=10 ! screen' \
  "$webcam ! videoconvert ! CLIP inference-interval=10 ! $screen"
line 'rtspsrc, H.264 720p25 ! decodebin ! clipfilter ! screen' \
  "$h264 ! decodebin ! CLIP ! $screen"
line 'rtspsrc, H.264 ! decodebin3 ! clipfilter max-inference-rate=1/1 ! fakesink' \
  "$h264 ! decodebin3 ! CLIP max-inference-rate=1/1 ! fakesink name=sink"
line 'rtspsrc, M-JPEG 720p25 ! decodebin ! clipfilter ! screen' \
  "$mjpeg ! decodebin ! CLIP ! $screen"
line 'rtspsrc, H.264 ! decodebin ! clipfilter inference-mode=wait ! screen' \
  "$h264 ! decodebin ! CLIP inference-mode=wait ! $screen"
line 'rtspsrc, H.264 ! decodebin ! clipfilter post-messages=all ! fakesink' \
  "$h264 ! decodebin ! CLIP post-messages=all ! fakesink name=sink"
line 'file, 25 a second ! decodebin ! clipfilter ! fakesink' \
  "$file ! CLIP ! fakesink name=sink"
line 'file ! decodebin ! clipfilter inference-mode=latest ! screen' \
  "$file ! CLIP inference-mode=latest ! $screen"
line 'webcam ! clipfilter max-inference-rate=2/1 ! x264enc ! fakesink' \
  "$webcam ! CLIP max-inference-rate=2/1 ! x264enc tune=zerolatency
   speed-preset=ultrafast ! fakesink name=sink"
line 'four webcams with prompts of their own (the first of them)' \
  "$webcam ! CLIP ! $screen
   $webcam ! clipfilter model=$model prompts=\"a car | a road\" ! fakesink sync=true
   $webcam ! clipfilter model=$model prompts=\"a cat | a sofa\" ! fakesink sync=true
   $webcam ! clipfilter model=$model prompts=\"rain | sun\" ! fakesink sync=true"
