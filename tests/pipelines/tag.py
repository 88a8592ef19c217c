#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
"""What pipelines/tag.sh and clip-tag promise, whatever the model answers."""

import functools
import json
import os
import pty
import re
import signal
import subprocess
import sys
import unicodedata

from cases import BUILD, CLIP, ENV, SOURCE, WORK, run_cases
from tree import Tree

CLIP_TAG = BUILD / 'pipelines' / 'clip-tag'
# As make-clip.py makes it.
CLIP_FRAMES = 365
CLIP_RATE = 25

PROMPTS = ['a cup of coffee', '一张人的照片', 'left | right \\ "both", 50 %']
WITH_PROMPTS = [word for text in PROMPTS for word in ('--prompt', text)]

LINE = re.compile(r' *(\d+):(\d\d)\.(\d{3})  (.*?) +([█▉▊▋▌▍▎▏]*) +(\d\.\d\d)')
ROW = re.compile(r' *(\d+):(\d\d)\.(\d{3})  (.*?) +([█▉▊▋▌▍▎▏]*) +(\d+\.\d) %')


def run(*arguments, program=CLIP_TAG, **options):
    return subprocess.run([program, *arguments], env=ENV, cwd=WORK,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          **options)


def tag(*arguments):
    done = run(*arguments)
    assert done.returncode == 0 and done.stderr == b'', done
    return done.stdout.decode()


@functools.cache
def tag_clip(*options):
    return tag(*options, CLIP, *WITH_PROMPTS)


def make_video(name, n_frames, *encoder):
    launch('videotestsrc', f'num-buffers={n_frames}', '!', *encoder, '!',
           'filesink', f'location={WORK / name}')


def launch(*description):
    run('-q', *description, program='gst-launch-1.0', check=True)


def parse(output):
    """The lines, the rows of the table, and the closing line."""
    lines, rest = output.split('\n\nThe best tag, by share of the time:\n')
    *rows, closing, end = rest.split('\n')
    assert end == ''
    lines = [LINE.fullmatch(line) for line in lines.split('\n')]
    rows = [ROW.fullmatch(row) for row in rows]
    assert all(lines) and all(rows), output
    return lines, rows, closing


def milliseconds(match):
    minutes, seconds, rest = (int(group) for group in match.groups()[:3])
    return (minutes * 60 + seconds) * 1000 + rest


# --- results ---


def clip_is_tagged_line_by_line():
    lines, rows, closing = parse(tag_clip())
    times = [milliseconds(line) for line in lines]
    tags = [line[4] for line in lines]
    assert times[0] == 0 and times == sorted(set(times)), times
    assert all(a != b for a, b in zip(tags, tags[1:])), tags
    assert set(tags) <= set(PROMPTS), tags
    assert closing.startswith(f'{CLIP_FRAMES} results, '), closing


def table_has_each_prompt_and_adds_up():
    _, rows, _ = parse(tag_clip())
    assert sorted(row[4] for row in rows) == sorted(PROMPTS)
    # A share is rounded to a tenth, a time to a millisecond.
    total = sum(float(row[6]) for row in rows)
    assert abs(total - 100) <= 0.05 * len(rows) + 1e-9, total
    time = sum(milliseconds(row) for row in rows)
    assert abs(time - 1000 * CLIP_FRAMES / CLIP_RATE) <= len(rows), time


def table_agrees_with_the_records():
    _, rows, _ = parse(tag_clip())
    records = [json.loads(line) for line in
               tag_clip('--json').splitlines()]
    for row in rows:
        n = sum(r['prompts'][0]['text'] == row[4] for r in records)
        assert abs(milliseconds(row) - n * 1000 / CLIP_RATE) <= 1, (row, n)
        assert abs(float(row[6]) - 100 * n / CLIP_FRAMES) <= 0.05 + 1e-9


def wide_characters_are_aligned():
    _, rows, _ = parse(tag_clip())
    widths = {sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1
                  for c in row.string) for row in rows}
    assert len(widths) == 1, [row.string for row in rows]


def json_is_records_and_nothing_else():
    records = [json.loads(line) for line in tag_clip('--json').splitlines()]
    assert [r['result'] for r in records] == list(range(1, CLIP_FRAMES + 1))
    order = ['element', 'source', 'model', 'precision', 'result', 'reason',
             'timestamp', 'running-time', 'stream-time', 'duration', 'utc',
             'source-timestamp', 'age', 'revision', 'frame-width',
             'frame-height', 'prompts']
    for record in records:
        assert list(record) == [key for key in order if key in record], record
        assert {'element', 'model', 'precision', 'result', 'reason',
                'timestamp', 'running-time', 'revision', 'frame-width',
                'frame-height', 'prompts'} <= set(record), record
        assert {p['text'] for p in record['prompts']} == set(PROMPTS)
        for prompt in record['prompts']:
            assert list(prompt) == ['index', 'text', 'similarity',
                                    'probability']
            assert PROMPTS[prompt['index']] == prompt['text']
        total = sum(p['probability'] for p in record['prompts'])
        assert abs(total - 1) < 1e-5, total


def picture_is_one_result():
    for encoder, name in ('pngenc', 'a.png'), ('jpegenc', 'a b#ü%20.jpg'):
        make_video(name, 1, encoder)
        lines, _, closing = parse(tag(name))
        assert len(lines) == 1 and re.match('1 result(;|$)', closing), closing


def sound_beside_the_video_does_not_matter():
    launch('webmmux', 'name=mux', '!', 'filesink', f'location={WORK}/av.webm',
           'videotestsrc', 'num-buffers=10', '!', 'vp8enc', '!', 'mux.',
           'audiotestsrc', 'num-buffers=20', '!', 'vorbisenc', '!', 'mux.')
    assert parse(tag('av.webm'))[2].startswith('10 results')


def uri_is_an_input():
    make_video('short.avi', 3, 'jpegenc', '!', 'avimux')
    output = tag((WORK / 'short.avi').as_uri())
    assert parse(output)[2].startswith('3 results')


def one_prompt_is_warned_of():
    make_video('one.png', 1, 'pngenc')
    done = run('one.png', '--json', '--prompt', 'a cup of coffee')
    assert done.returncode == 0 and done.stderr.count(b'\n') == 1, done.stderr


def interrupt_ends_with_the_table():
    with subprocess.Popen([CLIP_TAG, CLIP, *WITH_PROMPTS], env=ENV, cwd=WORK,
                          stdout=subprocess.PIPE) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0, process.returncode
    parse((first + rest).decode())


def progress_is_taken_away():
    try:
        terminal, stderr = pty.openpty()
    except OSError as reason:  # a root without /dev/pts
        return str(reason)
    make_video('progress.avi', 60, 'jpegenc', '!', 'avimux')
    with subprocess.Popen([CLIP_TAG, 'progress.avi', *WITH_PROMPTS],
                          env=dict(ENV, TERM='xterm'), cwd=WORK,
                          stdout=subprocess.PIPE, stderr=stderr) as process:
        os.close(stderr)
        output = process.stdout.read()
        shown = b''
        try:
            while chunk := os.read(terminal, 4096):
                shown += chunk
        except OSError:  # how Linux says that the other end is closed
            pass
    os.close(terminal)
    parse(output.decode())
    assert not shown or shown.endswith(b'\r\x1b[K'), shown
    return None


# --- failures ---


def fails(*arguments, says, status=1, program=CLIP_TAG):
    """One sentence on stderr, nothing on stdout."""
    done = run(*arguments, program=program)
    sentence = done.stderr.decode()
    assert done.returncode == status, done
    assert done.stdout == b'', done.stdout
    assert re.fullmatch(r'[^\n]+\.\n', sentence), sentence
    for word in says:
        assert word in sentence, (word, sentence)


def bad_inputs_are_told():
    (WORK / 'empty.mp4').touch()
    (WORK / 'folder').mkdir()
    (WORK / 'text.mp4').write_text('Not a film.\n' * 40)
    fails('missing.mp4', says=['missing.mp4', 'give the path'])
    fails('empty.mp4', says=['empty.mp4', 'is empty'])
    fails('folder', says=['folder', 'is a folder'])
    fails('text.mp4', says=['text.mp4', 'not a video or a picture'])
    fails('nothing://here', says=['nothing://'])
    fails(status=2, says=['0 inputs'])
    fails('a', 'b', status=2, says=['2 inputs'])


def unreadable_file_is_told():
    locked = WORK / 'locked.mp4'
    locked.write_text('x')
    locked.chmod(0)
    if os.access(locked, os.R_OK):
        return 'root may read everything'
    fails(locked, says=['locked.mp4', 'may not be read'])
    return None


def camera_that_is_none_is_told():
    fails('/dev/null', says=['/dev/null', 'connect a camera'])


def refused_stream_is_told():
    fails('rtsp://127.0.0.1:9/none', says=['rtsp://127.0.0.1:9/none',
                                           'check the address'])


def file_without_video_is_told():
    launch('audiotestsrc', 'num-buffers=4', '!', 'wavenc', '!', 'filesink',
           f'location={WORK}/sound.wav')
    fails('sound.wav', says=['sound.wav', 'has video'])


def missing_decoder_names_the_packages():
    make_video('known.avi', 3, 'jpegenc', '!', 'avimux')
    film = (WORK / 'known.avi').read_bytes()
    assert b'MJPG' in film
    (WORK / 'unknown.avi').write_bytes(film.replace(b'MJPG', b'ZZZ9'))
    fails('unknown.avi', says=['unknown.avi', 'gstreamer1.0-plugins-bad',
                               'gstreamer1.0-libav'])


def missing_plugin_is_told():
    ours = ENV['GST_PLUGIN_PATH']
    ENV['GST_PLUGIN_PATH'] = ''
    try:
        fails(CLIP, says=["'clipfilter'", 'pipelines/'])
    finally:
        ENV['GST_PLUGIN_PATH'] = ours


def bad_model_is_told():
    (WORK / 'no-model').mkdir()
    fails('--model', 'nowhere', CLIP, status=2, says=['nowhere', '--model'])
    fails('--model', 'no-model', CLIP, says=['no-model', '--model'])


def bad_prompts_are_told():
    fails('--prompt', ' ', CLIP, status=2, says=['Prompt 1 is empty'])
    fails('--prompt', 'a', '--prompt', b'\xff', CLIP, status=2,
          says=['Prompt 2', 'UTF-8'])
    fails(CLIP, *['--prompt', 'a cat'] * 1001, says=['1000'])


def bad_options_are_told():
    for program in CLIP_TAG, SOURCE / 'pipelines' / 'tag.sh':
        status = 2 if program == CLIP_TAG else 1
        fails('--nonsense', program=program, status=status,
              says=['--nonsense', '--help'])
        fails('--prompt', program=program, status=status,
              says=['--prompt', '--help'])


# --- tag.sh, with stand-ins for what it calls ---


def tree(name, **programs):
    return Tree(WORK / name, 'tag.sh', 'clip-tag', **programs)


def arguments_pass_as_they_are():
    done = tree('passed').run('--model', 'my model', '--prompt', '-a "b" $c',
                              '--prompt=一只 猫', '--json', 'in put')
    assert done.returncode == 0, done
    assert done.stdout.decode().splitlines() == [
        '--model=my model', '--prompt=-a "b" $c', '--prompt=一只 猫', '--json',
        '--', 'in put'], done.stdout
    assert done.stderr == b'', done.stderr


def clip_is_the_default_input():
    made = tree('default')
    done = made.run()
    assert done.stdout.decode().splitlines() == [
        '--', str(made.root / 'pipelines' / 'clip.webm')], done


def nothing_is_installed_when_all_is_there():
    made = tree('complete')
    assert made.run().returncode == 0
    assert 'apt-get' not in made.calls.read_text()


def packages_are_named_before_they_are_installed():
    made = tree('missing', **{'dpkg-query': 'exit 1', 'id': 'echo 0',
                              'apt-get': 'echo noise'})
    done = made.run()
    assert done.returncode == 0, done
    assert b'noise' not in done.stdout + done.stderr
    assert b'libdnnl-dev' in done.stderr and b'meson' in done.stderr
    assert re.search(r'apt-get .*install .*libdnnl-dev', made.calls.read_text())


def no_install_installs_nothing():
    made = tree('kept', **{'dpkg-query': 'exit 1', 'id': 'echo 0'})
    assert made.run('--no-install').returncode == 0
    assert 'apt-get' not in made.calls.read_text()


def failed_build_names_what_is_needed():
    done = tree('unbuilt', meson='echo no GStreamer; exit 1').run()
    last = done.stderr.decode().splitlines()[-1]
    assert done.returncode != 0 and done.stdout == b''
    assert b'no GStreamer' in done.stderr
    assert 'oneDNN' in last and last.endswith('.'), last


CASES = [
    clip_is_tagged_line_by_line,
    table_has_each_prompt_and_adds_up,
    table_agrees_with_the_records,
    wide_characters_are_aligned,
    json_is_records_and_nothing_else,
    picture_is_one_result,
    sound_beside_the_video_does_not_matter,
    uri_is_an_input,
    one_prompt_is_warned_of,
    interrupt_ends_with_the_table,
    progress_is_taken_away,
    bad_inputs_are_told,
    unreadable_file_is_told,
    camera_that_is_none_is_told,
    refused_stream_is_told,
    file_without_video_is_told,
    missing_decoder_names_the_packages,
    missing_plugin_is_told,
    bad_model_is_told,
    bad_prompts_are_told,
    bad_options_are_told,
    arguments_pass_as_they_are,
    clip_is_the_default_input,
    nothing_is_installed_when_all_is_there,
    packages_are_named_before_they_are_installed,
    no_install_installs_nothing,
    failed_build_names_what_is_needed,
]


if __name__ == '__main__':
    sys.exit(run_cases('tag', CASES))
