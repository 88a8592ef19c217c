#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
"""Makes pipelines/clip.webm from the photographs named in CLIP.md.

Needs, from Debian: python3-pil, python3-skimage (only its pictures),
gstreamer1.0-tools, gstreamer1.0-plugins-base, gstreamer1.0-plugins-good.

    pipelines/make-clip.py [DIRECTORY OF THE PICTURES] [CLIP]
"""

import pathlib
import subprocess
import sys
import tempfile

from PIL import Image

PICTURES = '/usr/lib/python3/dist-packages/skimage/data'
RATE = 25
# Odd both ways, so that chroma planes are rounded up and strides are padded.
SIZE = (641, 361)
DISSOLVE = 10

# A shot is a picture, its frames, whether it is dissolved into (or cut to),
# and the camera's way: centre and width of the view at both ends, as
# fractions of the picture.
SHOTS = [
    ('coffee.png', 80, False, (0.50, 0.42, 1.00), (0.50, 0.42, 0.88)),
    ('astronaut.png', 80, False, (0.42, 0.22, 0.78), (0.50, 0.42, 1.00)),
    ('camera.png', 65, True, (0.50, 0.50, 1.00), (0.40, 0.32, 0.76)),
    ('chelsea.png', 65, False, (0.50, 0.50, 1.00), (0.48, 0.46, 0.80)),
    ('rocket.jpg', 75, True, (0.50, 0.70, 0.76), (0.50, 0.50, 1.00)),
]


def view(picture, way, position):
    """The picture as the camera sees it at position 0 ... 1 of its way."""
    eased = position * position * (3 - 2 * position)
    x, y, width = (a + (b - a) * eased for a, b in zip(*way))
    width *= picture.width
    height = width * SIZE[1] / SIZE[0]
    left = min(max(x * picture.width - width / 2, 0), picture.width - width)
    top = min(max(y * picture.height - height / 2, 0),
              picture.height - height)
    return picture.resize(SIZE, Image.LANCZOS,
                          (left, top, left + width, top + height))


def frames(pictures):
    last = None
    for name, count, dissolve, *way in SHOTS:
        picture = Image.open(pictures / name).convert('RGB')
        before = last
        for i in range(count):
            frame = view(picture, way, i / (count - 1))
            last = frame
            if dissolve and i < DISSOLVE:
                frame = Image.blend(before, frame, (i + 1) / (DISSOLVE + 1))
            yield frame


def main():
    here = pathlib.Path(__file__).resolve().parent
    pictures = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else PICTURES)
    clip = sys.argv[2] if len(sys.argv) > 2 else here / 'clip.webm'
    with tempfile.TemporaryDirectory() as folder:
        for i, frame in enumerate(frames(pictures)):
            frame.save(f'{folder}/{i:05}.png', compress_level=1)
        # One thread: the same pictures on every machine.
        subprocess.run(
            ['gst-launch-1.0', '-q', 'multifilesrc',
             f'location={folder}/%05d.png',
             f'caps=image/png,framerate={RATE}/1', '!', 'pngdec', '!',
             'videoconvert', '!', 'video/x-raw,format=I420', '!',
             'vp8enc', 'deadline=0', 'threads=1', 'target-bitrate=900000',
             'keyframe-max-dist=50', 'lag-in-frames=16', '!', 'webmmux', '!',
             'filesink', f'location={clip}'],
            check=True)


if __name__ == '__main__':
    main()
