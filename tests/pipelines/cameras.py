#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
"""What clip-cameras promises, whatever the model answers."""

import collections
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from cases import BUILD, CLIP, ENV, WORK, run_cases
from tree import Tree

CLIP_CAMERAS = BUILD / 'pipelines' / 'cameras' / 'clip-cameras'

# gst-launch-1.0, which no sanitizer is in, could not load the plugin, and would
# note that for all who share its registry.
MAKER = dict(ENV, GST_REGISTRY=str(WORK / 'maker'), GST_PLUGIN_PATH='')

# No case waits longer for what has to come; it comes in a second or two.
PATIENCE = 60
DEFAULTS = '[defaults]\nprompts = a dog | a cat\nloop = true\nrate = 5/1\n'


def film(name, n_frames, *encoder):
    """A film of test pictures, made once."""
    path = WORK / name
    if not path.exists():
        subprocess.run(
            ['gst-launch-1.0', '-q', 'videotestsrc', 'pattern=ball',
             f'num-buffers={n_frames}', '!', 'video/x-raw,width=160,height=120,'
             'framerate=25/1', '!', *encoder, '!', 'filesink',
             f'location={path}'], env=MAKER, check=True)
    return path


def motion():
    return film('motion.avi', 100, 'jpegenc', '!', 'avimux')


class Run:
    """The program on a file of cameras, ended at the end of a with block."""

    def __init__(self, text, *options, json_file=True, stdout=subprocess.PIPE,
                 name='cameras.conf'):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        self.file = self.folder / name
        self.json = self.folder / 'out.jsonl'
        self.errors = self.folder / 'stderr'
        self.write(text)
        if json_file:
            options += '--json', str(self.json)
        with open(self.errors, 'wb') as errors:
            self.process = subprocess.Popen(
                [CLIP_CAMERAS, *options, name], env=ENV,
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=stdout,
                stderr=errors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def write(self, text):
        """As editors do: a new file in the place of the old one."""
        new = self.folder / 'new'
        new.write_text(text)
        new.rename(self.file)

    def said(self):
        return self.errors.read_text()

    def records(self, source=None):
        if not self.json.exists():
            return []
        whole = self.json.read_text().rpartition('\n')[0]
        records = [json.loads(line) for line in whole.splitlines()]
        return [r for r in records if source in (None, r['source'])]

    def wait_for(self, what, of=None):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = what()
            if found:
                return found
            assert self.process.poll() is None, (self.process.poll(),
                                                 self.said())
            time.sleep(0.1)
        raise AssertionError((of or what, self.said()[-2000:]))

    def wait_for_more(self, source, n=2):
        before = len(self.records(source))
        self.wait_for(lambda: len(self.records(source)) >= before + n, source)

    def end(self, how=signal.SIGINT):
        self.process.send_signal(how)
        output = self.process.stdout.read().decode()
        assert self.process.wait(PATIENCE) == 0, (self.process.returncode,
                                                  self.said())
        return output

    def metrics(self):
        uri = self.wait_for(lambda: re.search(r'http://\S+/metrics',
                                              self.said()))[0]
        with urllib.request.urlopen(uri, timeout=PATIENCE) as answer:
            assert answer.headers['Content-Type'].startswith(
                'text/plain; version=0.0.4'), answer.headers
            return answer.read().decode()

    def children(self):
        pid = self.process.pid
        return [int(child) for child in pathlib.Path(
            f'/proc/{pid}/task/{pid}/children').read_text().split()]


def finish(text, *options, **keys):
    """Lines of the summary by camera, and the whole one under None."""
    with Run(text, '--summary', '--quiet', *options, **keys) as run:
        output = run.process.stdout.read().decode()
        assert run.process.wait() == 0, run.said()
        lines = [json.loads(line) for line in output.splitlines()]
        return {line.get('camera'): line for line in lines}, run.records()


# --- results ---


def eight_cameras_write_whole_lines():
    text = DEFAULTS + 'attach-embedding = true\nrate = 0/1\n' + ''.join(
        f'[camera {i}]\nuri = {motion()}\n' for i in range(8))
    with Run(text, '--summary') as run:
        for i in range(8):
            run.wait_for(lambda i=i: len(run.records(f'camera {i}')) >= 20)
        lines = [json.loads(line) for line in run.end().splitlines()]
        assert run.json.read_text().endswith('\n')
        records = run.records()
    numbers = collections.defaultdict(list)
    for record in records:
        numbers[record['source']].append(record['result'])
        assert list(record)[-1] == 'embedding' and len(
            record['embedding']) > 100, list(record)
    assert max(len(json.dumps(record)) for record in records) > 4096
    assert len(numbers) == 8, numbers.keys()
    for source, found in numbers.items():
        assert found == list(range(1, len(found) + 1)), (source, found)
    assert lines[-1]['cameras'] == 8, lines[-1]
    # Between the summary and the end some more may come.
    assert 0 < lines[-1]['results'] <= len(records), lines[-1]


def records_alone_are_on_stdout():
    text = DEFAULTS + f'[a]\nuri = {motion()}\n'
    with Run(text, '--json', '-', '--seconds', '3', json_file=False) as run:
        output = run.process.stdout.read().decode()
        assert run.process.wait() == 0, run.said()
        table = run.said()
    assert {json.loads(line)['source'] for line in output.splitlines()} == {'a'}
    assert re.search(r'^camera +state ', table, re.M), table


def file_plays_in_real_time_and_ends():
    summary, _ = finish(f'[a]\nuri = {motion()}\nrate=5/1\n[b]\nuri=/dev/null\n',
                        '--seconds', '6')
    # 100 frames of 25 a second, of which 5 a second are encoded.
    assert summary['a']['state'] == 'ended', summary['a']
    assert summary['a']['frames'] == 100, summary['a']
    assert 19 <= summary['a']['results'] <= 20, summary['a']
    assert summary['a']['reconnects'] == 0, summary['a']
    assert summary['b']['state'] == 'lost', summary['b']
    assert summary['b']['reconnects'] >= 1, summary['b']
    assert summary[None]['frames'] == 100, summary[None]
    assert summary[None]['cpu-seconds'] > 0, summary[None]


def key_frames_alone_are_decoded():
    path = film('keys.webm', 60, 'vp8enc', 'deadline=1', 'keyframe-max-dist=10',
                '!', 'webmmux')
    cameras = (f'[keys]\nuri={path}\nrate=0/1\ndecode=keyframes\n'
               f'[all]\nuri={path}\nrate=0/1\n')
    summary, records = finish(cameras, '--seconds', '5')
    assert summary['all']['frames'] == 60, summary['all']
    keys = summary['keys']
    assert keys['frames'] == 6 and keys['results'] == 6, keys
    assert keys['skipped']['keyframes'] == 54, keys
    # A result waits for a packet, not for the next key frame.
    assert keys['age-p99'] < 0.4, keys
    times = sorted(round(r['source-timestamp'] / 1e9 * 25) for r in records
                   if r['source'] == 'keys')
    assert times == [0, 10, 20, 30, 40, 50], times


def warm_up_is_left_out():
    summary, records = finish(DEFAULTS + f'[a]\nuri={motion()}\n',
                              '--seconds', '6', '--warm-up', '4')
    assert 1.5 < summary[None]['seconds'] < 3, summary[None]
    assert summary['a']['results'] < len(records), (summary, len(records))


# --- edits ---


def edits_change_what_they_say():
    door, yard = f'[door]\nuri={motion()}\n', f'[yard]\nuri={CLIP}\n'
    with Run(DEFAULTS + door + yard) as run:
        run.wait_for_more('door')
        run.wait_for_more('yard')

        run.write(DEFAULTS + door + 'prompts = a tree | a ball\n' + yard)
        run.wait_for(lambda: any('a ball' in json.dumps(r)
                                 for r in run.records('door')))
        run.write(DEFAULTS + door + yard + f'[shed]\nuri={motion()}\n')
        run.wait_for_more('shed')
        run.write(DEFAULTS + door)
        time.sleep(2)
        counts = len(run.records('yard')), len(run.records('shed'))
        run.wait_for_more('door', 10)
        assert counts == (len(run.records('yard')), len(run.records('shed')))

        # Whatever was said of others, door went on; a file that began anew
        # would have restarted nothing but its own count.
        numbers = [r['result'] for r in run.records('door')]
        assert numbers == list(range(1, len(numbers) + 1)), numbers
        run.write(DEFAULTS + f'[door]\nuri={CLIP}\n')
        run.wait_for(lambda: run.records('door')[-1]['frame-width'] == 641)
        run.end()


def prompts_file_is_read_again():
    with Run(DEFAULTS.replace('prompts = a dog | a cat\n', '')
             + f'[a]\nuri={motion()}\nprompts-file = p.txt\n') as run:
        (run.folder / 'p.txt').write_text('a bird\na fish\n')
        run.wait_for_more('a')
        (run.folder / 'p.txt').write_text('a house\na boat\n')
        run.wait_for(lambda: any('a boat' in json.dumps(r)
                                 for r in run.records('a')))
        run.end()


def bad_edit_is_said_once_and_changes_nothing():
    good = DEFAULTS + f'[a]\nuri={motion()}\n'
    with Run(good) as run:
        run.wait_for_more('a')
        run.write(good + 'rate = often\n')
        run.wait_for(lambda: 'rate = often' in run.said())
        run.write(good + '# still wrong\nrate = often\n')
        time.sleep(2)
        run.wait_for_more('a')
        assert run.said().count('rate = often') == 1, run.said()
        assert 'stay as they were' in run.said(), run.said()
        run.write(good + f'[b]\nuri={motion()}\n')
        run.wait_for_more('b')
        run.end()


# --- trouble ---


def camera_that_comes_is_taken():
    with Run(DEFAULTS + f'[late]\nuri=late.avi\n[a]\nuri={motion()}\n',
             '--longest-wait', '1') as run:
        run.wait_for(lambda: 'late' in run.said())
        run.wait_for_more('a')
        shutil.copy(motion(), run.folder / 'late.avi')
        run.wait_for_more('late')
        assert run.said().count('late:') == 1, run.said()
        run.end()


def silent_camera_is_lost_and_tried_again():
    # A stream that begins and then says no more: a FIFO whose writer stays.
    with Run(f'[a]\nuri=silent.avi\ntimeout=1\n[b]\nuri={motion()}\nloop=true\n',
             '--longest-wait', '1', '--metrics', '0') as run:
        os.mkfifo(run.folder / 'silent.avi')
        with open(run.folder / 'silent.avi', 'r+b', 0):
            run.wait_for(lambda: 'clipfilter_camera_reconnects_total'
                         '{camera="a"} 0\n' not in run.metrics())
            run.wait_for_more('b')
        run.end()


def sources_that_block_hold_up_no_other():
    # FIFOs without a writer, more than are opened at once.
    names = [f'blocked-{i}' for i in range(5)]
    text = DEFAULTS + ''.join(f'[{name}]\nuri={name}\ntimeout=1\n'
                              for name in names)
    with Run(DEFAULTS) as run:
        for name in names:
            os.mkfifo(run.folder / name)
        run.write(text)
        run.wait_for(lambda: run.said().count('still being opened') >= 4)
        run.write(text + f'[a]\nuri={motion()}\n')
        run.wait_for_more('a')
        run.wait_for(lambda: run.said().count('still being opened') == 5)
        for name in names:
            os.close(os.open(run.folder / name, os.O_RDWR | os.O_NONBLOCK))
        run.end()


def crashed_process_is_started_again():
    names = [f'camera-{i}' for i in range(6)]
    text = DEFAULTS + ''.join(f'[{name}]\nuri={motion()}\n' for name in names)
    with Run(text, '--processes', '2', '--metrics', '0') as run:
        for name in names:
            run.wait_for_more(name)
        workers = run.children()
        assert len(workers) == 2, workers
        before = parse_metrics(run.metrics())
        os.kill(workers[0], signal.SIGSEGV)
        run.wait_for(lambda: re.search(
            r'Process \d ended|Process \d was ended by signal 11', run.said()))
        lost = {name for name in names if value(
            parse_metrics(run.metrics()), 'reconnects_total', name) > 0}
        assert 0 < len(lost) < 6, lost
        for name in names:
            run.wait_for_more(name, 5)
        after = parse_metrics(run.metrics())
        for key, number in before.items():
            if key[0].endswith('_total'):
                assert after[key] >= number, (key, number, after[key])
        # The others went on with their counts, without a gap.
        for name in set(names) - lost:
            numbers = [r['result'] for r in run.records(name)]
            assert numbers == list(range(1, len(numbers) + 1)), (name, numbers)
        run.end()


def last_news_of_a_process_count_once():
    with Run(DEFAULTS + f'[a]\nuri={motion()}\n', '--processes', '1',
             '--metrics', '0') as run:
        run.wait_for_more('a', 10)
        # What it tells then is read after its end is known.
        worker, = run.children()
        run.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        os.kill(worker, signal.SIGKILL)
        time.sleep(0.5)
        run.process.send_signal(signal.SIGCONT)
        run.wait_for(lambda: 'signal 9' in run.said())
        counts = [value(parse_metrics(run.metrics()), 'frames_total', 'a')]
        while len(counts) < 60 and counts[-1] <= counts[0]:
            time.sleep(0.1)
            counts.append(value(parse_metrics(run.metrics()), 'frames_total',
                                'a'))
        assert counts == sorted(counts) and counts[-1] > counts[0], counts
        run.end()


def workers_end_with_their_parent():
    with Run(DEFAULTS + f'[a]\nuri={motion()}\n', '--processes', '2') as run:
        run.wait_for_more('a')
        workers = run.children()
        run.process.kill()
        run.process.wait()
        end = time.monotonic() + PATIENCE
        while any(is_running(pid) for pid in workers):
            assert time.monotonic() < end, workers
            time.sleep(0.1)


def is_running(pid):
    try:
        state = pathlib.Path(f'/proc/{pid}/stat').read_text()
    except FileNotFoundError:
        return False
    return state.rpartition(')')[2].split()[0] != 'Z'


def interrupt_flushes_and_ends():
    for how in signal.SIGINT, signal.SIGTERM:
        for processes in '0', '2':
            with Run(DEFAULTS + f'[a]\nuri={motion()}\n', '--summary',
                     '--processes', processes) as run:
                run.wait_for_more('a')
                summary = json.loads(run.end(how).splitlines()[0])
                assert summary['results'] <= len(run.records('a')), summary
                assert run.json.read_text().endswith('\n')


def file_may_have_any_name():
    name = os.fsdecode(b'T\xfcr "1"\n.conf')
    for processes in '0', '2':
        with Run(DEFAULTS + f'[a]\nuri={motion()}\n[b]\nuri=none.avi\n',
                 '--processes', processes, name=name) as run:
            run.wait_for_more('a')
            run.write('[a]\nrate=1/1\n')
            run.wait_for(lambda: 'no uri' in run.said())
            run.end()


def closed_descriptors_are_not_taken_for_files():
    folder = pathlib.Path(tempfile.mkdtemp(dir=WORK))
    (folder / 'c.conf').write_text(DEFAULTS + f'[a]\nuri={motion()}\n')
    for processes in '0', '2':
        done = subprocess.run(
            ['sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh', CLIP_CAMERAS,
             '--processes', processes, '--interval', '1', '--seconds', '3',
             '--json', f'out{processes}', 'c.conf'], env=ENV, cwd=folder)
        assert done.returncode == 0, done
        lines = (folder / f'out{processes}').read_text().splitlines()
        assert lines and all(json.loads(line)['source'] == 'a'
                             for line in lines), lines


def table_that_nobody_reads_holds_up_nothing():
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        try:
            while os.write(writer, b'x' * 4096):
                pass
        except BlockingIOError:
            os.set_blocking(writer, True)
        with Run(DEFAULTS + f'[a]\nuri={motion()}\n', '--interval', '1',
                 stdout=writer) as run:
            run.wait_for_more('a', 10)
            time.sleep(2)
            run.process.terminate()
            assert run.process.wait(PATIENCE) == 0, run.said()
    finally:
        os.close(reader)
        os.close(writer)


def reader_that_goes_away_is_told():
    with Run(DEFAULTS + f'[a]\nuri={motion()}\n', '--json', '-', '--quiet',
             json_file=False) as run:
        run.process.stdout.readline()
        run.process.stdout.close()
        run.process.stdout = None
        assert run.process.wait(PATIENCE) == 1, run.said()
        assert 'standard output' in run.said(), run.said()


# --- metrics ---

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(
    rf'({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (NaN|[-+0-9.eE]+)')


def parse_metrics(text):
    """By the rules of the exposition format 0.0.4."""
    samples, types, helped, family = {}, {}, set(), None
    assert text.endswith('\n'), text
    for line in text.splitlines():
        if line.startswith('# HELP '):
            family = line.split(' ')[2]
            assert family not in helped, line
            helped.add(family)
        elif line.startswith('# TYPE '):
            _, _, name, kind = line.split(' ')
            assert name == family and name not in types, line
            assert kind in ('counter', 'gauge'), line
            types[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            assert match[1] == family, (line, family)
            assert (match[1], match[2]) not in samples, line
            assert types[family] != 'counter' or family.endswith('_total'), line
            samples[match[1], match[2]] = float(match[3])
    assert helped == set(types), helped ^ set(types)
    return samples


def value(samples, family, camera):
    return samples[f'clipfilter_camera_{family}', f'camera="{camera}"']


def metrics_keep_the_rules_of_the_format():
    name = 'a "quoted" \\ name, 门'
    text = DEFAULTS + f'[{name}]\nuri={motion()}\n[b]\nuri=none.avi\n'
    with Run(text, '--metrics', '127.0.0.1:0') as run:
        run.wait_for_more(name)
        time.sleep(1.5)
        samples = parse_metrics(run.metrics())
        escaped = 'a \\"quoted\\" \\\\ name, 门'
        assert value(samples, 'up', escaped) == 1, samples
        assert value(samples, 'frames_total', escaped) > 0
        assert value(samples, 'results_total', escaped) > 0
        assert 0 < value(samples, 'result_age_seconds', escaped) < 30
        assert value(samples, 'up', 'b') == 0
        age = value(samples, 'result_age_seconds', 'b')
        assert age != age, age  # NaN
        assert samples['clipfilter_camera_state', 'camera="b",state="lost"'] == 1
        reasons = {re.search('reason="(.*)"', labels)[1]
                   for family, labels in samples
                   if family == 'clipfilter_camera_skipped_total'}
        assert {'rate', 'busy', 'lag', 'keyframes'} <= reasons, reasons
        run.end()


# --- the table ---


def table_is_redrawn_in_place():
    try:
        terminal, screen = pty.openpty()
    except OSError as reason:  # a root without /dev/pts
        return str(reason)
    env_term, ENV['TERM'] = ENV.get('TERM'), 'xterm'
    shown = b''
    try:
        with Run(DEFAULTS + f'[door]\nuri={motion()}\n[b]\nuri=none.avi\n',
                 '--seconds', '4', json_file=False, stdout=screen) as run:
            os.close(screen)
            run.process.stdout = None
            try:
                while chunk := os.read(terminal, 4096):
                    shown += chunk
            except OSError:  # how Linux says that the other end is closed
                pass
            assert run.process.wait() == 0, run.said()
            # Sentences stand above the table, not in a file of their own.
            assert run.said() == '', run.said()
    finally:
        os.close(terminal)
        ENV['TERM'] = env_term or 'dumb'
    text = shown.decode()
    assert text.count('\x1b[4A\r') >= 2, text
    assert 'b: Cannot read' in text, text
    last = re.sub(r'\x1b\[[0-9;?]*[a-zA-Z]', '', text.rpartition('\x1b[4A')[2])
    assert re.search(r'^door +on ', last, re.M), last
    assert re.search(r'^2 cameras, 1 on', last, re.M), last
    return None


# --- failures ---


def fails(text, *options, status, says):
    with Run(text, *options, json_file=False) as run:
        output = run.process.stdout.read()
        assert run.process.wait() == status, (run.process.returncode, run.said())
        assert output == b'', output
        for word in says:
            assert word in run.said(), (word, run.said())


def faults_are_told():
    fails('[a]\n', status=1, says=['cameras.conf', '[a]', 'no uri'])
    fails('[a]\nuri=x\n', '--check', '--nonsense', status=2,
          says=['--nonsense', '--help'])
    fails('', 'another.conf', status=2, says=['2 files'])
    fails('', '--processes', '65', status=2, says=['--processes', '64'])
    fails('', '--seconds', '-1', status=2, says=['--seconds'])
    fails('', '--decode', 'some', status=2, says=['--decode', 'keyframes'])
    fails('', '--metrics', 'x', status=1, says=['--metrics', 'PORT'])
    fails('', '--metrics', '192.0.2.1:9', status=1, says=['192.0.2.1'])
    fails('', '--json', 'none/out', status=1, says=['none/out'])
    fails('', '--json', '-', '--summary', status=2, says=['--json', '--summary'])


def check_says_what_would_be_done():
    with Run('[a]\nuri=rtsp://u:pass@h/s\nrate=1/4\n[b]\nuri=x.mp4\n', '--check',
             '--decode', 'keyframes', json_file=False) as run:
        output = run.process.stdout.read().decode()
        assert run.process.wait() == 0, run.said()
    assert '[a] rtsp://u:***@h/s' in output and 'pass' not in output, output
    assert 'max-inference-rate = 1/4' in output, output
    assert 'decode = keyframes' in output, output
    assert output.endswith('2 cameras\n'), output


def bad_model_is_told_and_the_others_go_on():
    with Run(DEFAULTS + f'[bad]\nuri={motion()}\nmodel=nowhere\n'
             f'[a]\nuri={motion()}\n') as run:
        run.wait_for_more('a')
        run.wait_for(lambda: 'nowhere' in run.said())
        assert not run.records('bad')
        run.end()


# --- cameras.sh, with stand-ins for what it calls ---


def tree(name, **programs):
    return Tree(WORK / name, 'cameras.sh', 'cameras/clip-cameras', **programs)


def script_builds_and_passes_arguments():
    made = tree('passed')
    done = made.run('--json', 'a "b" $c', '--processes=2', '门 1.conf')
    assert done.returncode == 0, done
    assert done.stdout.decode().splitlines() == [
        '--json', 'a "b" $c', '--processes=2', '门 1.conf'], done.stdout
    assert done.stderr == b'', done.stderr
    calls = made.calls.read_text()
    assert re.search(r'^ninja -C \S+/build cameras$', calls, re.M), calls
    assert 'apt-get' not in calls, calls


def script_installs_unless_told_not_to():
    missing = {'dpkg-query': 'exit 1', 'id': 'echo 0', 'apt-get': 'echo noise'}
    made = tree('missing', **missing)
    done = made.run('c.conf')
    assert done.returncode == 0 and done.stdout == b'c.conf\n', done
    assert b'libdnnl-dev' in done.stderr, done.stderr
    assert re.search(r'apt-get .*install .*libdnnl-dev', made.calls.read_text())
    made = tree('kept', **missing)
    done = made.run('--no-install', 'c.conf')
    assert done.returncode == 0 and done.stdout == b'c.conf\n', done
    assert 'apt-get' not in made.calls.read_text()


def script_tells_of_a_failed_build():
    done = tree('unbuilt', ninja='echo no such target; exit 1').run('c.conf')
    last = done.stderr.decode().splitlines()[-1]
    assert done.returncode != 0 and done.stdout == b'', done
    assert b'no such target' in done.stderr, done.stderr
    assert 'build' in last and last.endswith('.'), last


CASES = [
    eight_cameras_write_whole_lines,
    records_alone_are_on_stdout,
    file_plays_in_real_time_and_ends,
    key_frames_alone_are_decoded,
    warm_up_is_left_out,
    edits_change_what_they_say,
    prompts_file_is_read_again,
    bad_edit_is_said_once_and_changes_nothing,
    camera_that_comes_is_taken,
    silent_camera_is_lost_and_tried_again,
    sources_that_block_hold_up_no_other,
    crashed_process_is_started_again,
    last_news_of_a_process_count_once,
    workers_end_with_their_parent,
    interrupt_flushes_and_ends,
    file_may_have_any_name,
    closed_descriptors_are_not_taken_for_files,
    table_that_nobody_reads_holds_up_nothing,
    reader_that_goes_away_is_told,
    metrics_keep_the_rules_of_the_format,
    table_is_redrawn_in_place,
    faults_are_told,
    check_says_what_would_be_done,
    bad_model_is_told_and_the_others_go_on,
    script_builds_and_passes_arguments,
    script_installs_unless_told_not_to,
    script_tells_of_a_failed_build,
]


if __name__ == '__main__':
    sys.exit(run_cases('cameras', CASES))
