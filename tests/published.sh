#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
set -euo pipefail

usage () {
  cat <<'EOF'
tests/published.sh FOLDER [PICTURE]

Checks a downloaded checkpoint: builds if needed, says what was recognised and
runs the self-test. FOLDER is what was downloaded, or the weights file in it
with a vocabulary beside it.

PICTURE is the one of the model's own documentation, CLIP.png of openai/CLIP or
pokemon.jpeg of Chinese-CLIP; the probabilities that are documented, for ViT-B/32
of the one and ViT-B/16 of the other, are shown beside ours. They may come from
half precision on a graphics card, so the third digit can differ.
EOF
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
# shellcheck source=tests/steps.sh
. "$here/steps.sh"

case ${1:-} in
  '' | -h | --help)
    usage
    exit 0
    ;;
esac
[ $# -le 2 ] || die "a folder and a picture are all it takes; --help tells more"
[ -e "$1" ] || die "'$1' is not there"
[ $# -lt 2 ] || [ -f "$2" ] || die "'$2' is not there"

build=$root/build
"$here/packages/install.sh" build tests >&2
if [ ! -e "$build/build.ninja" ]; then
  step "Configuring" meson setup "$build" "$root" -Dtests=enabled ||
    die "the build could not be configured, for the reason above"
fi
step "Building" ninja -C "$build" tests/clip-check tag ||
  die "the build failed, for the reason above"

facts=$("$build/tests/clip-check" "$1") || exit 1
printf '%s\n' "$facts"
[ $# -eq 2 ] || exit 0

if [[ $facts == *bert* ]]; then
  documented=vit-b-16
  prompts=(杰尼龟 妙蛙种子 小火龙 皮卡丘)
  probabilities=(1.268734e-03 5.436878e-02 6.795761e-04 9.436829e-01)
else
  documented=vit-b-32
  prompts=("a diagram" "a dog" "a cat")
  probabilities=(0.9927937 0.00421068 0.00299572)
fi
if [[ $facts != *"\"model\": \"$documented-"* ]]; then
  say "The documentation's probabilities are those of $documented," \
    "and this is another model."
  probabilities=("${probabilities[@]/*/-}")
fi

arguments=()
for prompt in "${prompts[@]}"; do
  arguments+=(--prompt "$prompt")
done
record=$("$root/pipelines/tag.sh" --no-install --json --model "$1" \
  "${arguments[@]}" "$2" | head -n 1)
printf '%-12s  %-12s  %s\n' documented ours prompt
for i in "${!prompts[@]}"; do
  ours=$(python3 -c '
import json, sys
for prompt in json.loads(sys.argv[1])["prompts"]:
    if prompt["index"] == int(sys.argv[2]):
        print(f"""{prompt["probability"]:.6e}""")' "$record" "$i")
  printf '%-12s  %-12s  %s\n' "${probabilities[i]}" "$ours" "${prompts[i]}"
done
