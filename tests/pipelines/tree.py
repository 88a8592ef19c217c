# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
"""Scripts of pipelines/ with stand-ins for what they call."""

import os
import shutil
import subprocess

from cases import SOURCE


class Tree:
    """A script of pipelines/ in a tree of its own, of which building makes a
    stand-in for `program` that prints its arguments. What the script calls is
    written to `calls`."""

    def __init__(self, root, script, program, **programs):
        self.root = root
        self.script = root / 'pipelines' / script
        self.calls = self.root / 'calls'
        self.bin = self.root / 'bin'
        built = root / 'build' / 'pipelines' / program
        self.bin.mkdir(parents=True)
        self.calls.touch()
        for path in (f'pipelines/{script}', 'pipelines/build.sh',
                     'tests/steps.sh', 'tests/packages'):
            target = self.root / path
            target.parent.mkdir(exist_ok=True)
            copy = shutil.copytree if (SOURCE / path).is_dir() else shutil.copy
            copy(SOURCE / path, target)
        defaults = {
            'dpkg-query': 'for last; do echo "installed $last"; done',
            'apt-get': '', 'sudo': 'exit 1', 'ninja': '',
            'meson': f'''
mkdir -p {built.parent}
touch {root}/build/build.ninja
printf '#!/bin/sh\\nprintf "%%s\\\\n" "$@"\\n' >{built}
chmod +x {built}''',
        }
        for program, script in {**defaults, **programs}.items():
            file = self.bin / program
            file.write_text(f'#!/bin/sh\necho {program} "$@" >>{self.calls}\n'
                            f'{script}\n')
            file.chmod(0o755)

    def run(self, *arguments):
        path = f'{self.bin}:{os.environ["PATH"]}'
        return subprocess.run(
            [self.script, *arguments], env=dict(os.environ, PATH=path),
            cwd=self.root.parent, stdin=subprocess.DEVNULL, capture_output=True)
