#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
"""Which forms of checkpoints open, and how near their answers are to the
original's.

    tests/opens.py build/tests/clip-check

prints a row of a table for each form: a small model of the goldens, written as
that form is published, against the outputs of the original code. The goldens
lie beside a development checkout (CLIPFILTER_SHARED, or ../shared of the source
tree). With --tap each row is a test.
"""

import argparse
import collections
import io
import json
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import types
import zipfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("CLIPFILTER_SHARED", SOURCE.parent / "shared"))
GOLDENS = SHARED / "goldens"

BPE = ["hf-clip-sharded/vocab.json", "hf-clip-sharded/merges.txt"]
WORDS = ["chinese-vit/vocab.txt"]


# --- pytorch_model.bin, without PyTorch ---


class Storage:
    def __init__(self, kind, key, size):
        self.kind, self.key, self.size = kind, key, size


class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, shape

    def __reduce__(self):
        strides, step = [], 1
        for side in reversed(self.shape):
            strides.insert(0, step)
            step *= side
        return (
            sys.modules["torch._utils"]._rebuild_tensor_v2,
            (self.storage, 0, tuple(self.shape), tuple(strides), False,
             collections.OrderedDict()),
        )


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", value.kind, value.key, "cpu", value.size)
        return None


def pretend_torch():
    """Modules in whose names a pickle of PyTorch's speaks."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2():
        pass

    _rebuild_tensor_v2.__module__ = utils.__name__
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    for name in ("FloatStorage", "HalfStorage", "BFloat16Storage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    sys.modules["torch"], sys.modules["torch._utils"] = torch, utils
    return {
        "F32": torch.FloatStorage,
        "F16": torch.HalfStorage,
        "BF16": torch.BFloat16Storage,
        "I64": torch.LongStorage,
    }


def write_bin(safetensors, target):
    """The same tensors as torch.save() would write them."""
    storages = pretend_torch()
    content = safetensors.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    header.pop("__metadata__", None)
    tensors, pickled = collections.OrderedDict(), io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for key, (name, entry) in enumerate(header.items()):
            first, end = entry["data_offsets"]
            size = 1
            for side in entry["shape"]:
                size *= side
            storage = Storage(storages[entry["dtype"]], str(key), size)
            tensors[name] = Tensor(storage, entry["shape"])
            archive.writestr(
                f"archive/data/{key}", content[begin + first : begin + end])
        Pickler(pickled, protocol=2).dump(tensors)
        archive.writestr("archive/data.pkl", pickled.getvalue())
        archive.writestr("archive/version", "3\n")


# --- the forms: each puts a model into an empty folder ---


class Whole:
    """A folder of the goldens as it is."""

    def __init__(self, golden):
        self.golden = golden

    def make(self, folder):
        return GOLDENS / self.golden


class Beside:
    """A file of the goldens with a vocabulary beside it."""

    def __init__(self, golden, name, vocabulary):
        self.golden, self.name, self.vocabulary = golden, name, vocabulary

    def make(self, folder):
        for path in [f"{self.golden}/{self.name}", *self.vocabulary]:
            (folder / pathlib.Path(path).name).symlink_to(GOLDENS / path)
        return folder / self.name


class AsBin:
    """A folder of the goldens with its safetensors as a file of PyTorch's."""

    def __init__(self, golden, safetensors, name):
        self.golden, self.safetensors, self.name = golden, safetensors, name

    def make(self, folder):
        for path in (GOLDENS / self.golden).iterdir():
            if path.name == self.safetensors:
                write_bin(path, folder / self.name)
            else:
                (folder / path.name).symlink_to(path)
        return folder


ROWS = [
    ("`CLIPModel`, f32, vocab.json + merges.txt", Whole("hf-clip-f32")),
    ("`CLIPModel`, f16, tokenizer.json alone", Whole("hf-clip-fp16")),
    ("`CLIPModel`, bf16, erf GELU", Whole("hf-clip-bf16-gelu")),
    ("`CLIPModel`, f16, in shards", Whole("hf-clip-sharded")),
    ("`CLIPModel`, pytorch_model.bin",
     AsBin("hf-clip-f32", "model.safetensors", "pytorch_model.bin")),
    ("`ChineseCLIPModel`, f16, vocab.txt", Whole("hf-chinese-clip")),
    ("`ChineseCLIPModel`, pytorch_model.bin",
     AsBin("hf-chinese-clip", "model.safetensors", "pytorch_model.bin")),
    ("open_clip, safetensors", Whole("open-clip")),
    ("open_clip, open_clip_pytorch_model.bin",
     AsBin("open-clip", "open_clip_model.safetensors",
           "open_clip_pytorch_model.bin")),
    ("OpenAI .pt, TorchScript, ResNet",
     Beside("openai-rn", "openai-rn.pt", BPE)),
    ("OpenAI .pt, state dict, ResNet",
     Beside("openai-rn", "openai-rn.state_dict.pt", BPE)),
    ("OpenAI .pt, TorchScript, ViT",
     Beside("openai-vit", "openai-vit.pt", BPE)),
    ("OpenAI .pt, state dict, ViT",
     Beside("openai-vit", "openai-vit.state_dict.pt", BPE)),
    ("Chinese-CLIP .pt, ResNet",
     Beside("chinese-rn", "chinese-rn.pt", WORDS)),
    ("Chinese-CLIP .pt, ViT",
     Beside("chinese-vit", "chinese-vit.pt", WORDS)),
]


def check(program, form):
    """What clip-check says, or the sentence why it could not."""
    with tempfile.TemporaryDirectory(prefix="clip-opens-") as folder:
        model = form.make(pathlib.Path(folder))
        expected = GOLDENS / form.golden / "expected.json"
        run = subprocess.run(
            [program, model, expected], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        return {"ok": False, "why": run.stderr.strip() or f"status {run.returncode}"}
    return json.loads(run.stdout)


HEAD = [
    "| form | opens | token ids | pictures | embedding, max error "
    "| min cosine | load, s | peak, MiB |",
    "|---|---|---|---|---|---|---|---|",
]


def format_row(name, found):
    if "why" in found:
        return f"| {name} | no | | | | | | |"
    return (
        f"| {name} | yes | {found['equal-texts']} of {found['texts']} "
        f"| {found['equal-pictures']} of {found['pictures']} "
        f"| {found['embedding-error']:.1e} | {found['min-cosine']:.9f} "
        f"| {found['load-seconds']:.2f} | {found['peak-mib']:.0f} |"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="clip-check")
    parser.add_argument("--tap", action="store_true", help="each row is a test")
    arguments = parser.parse_args()
    if not GOLDENS.is_dir():
        print(f"1..0 # SKIP {GOLDENS} is not here" if arguments.tap
              else f"{GOLDENS} is not here: there is nothing to compare with.")
        return 0
    mark = "# " if arguments.tap else ""
    if arguments.tap:
        print(f"1..{len(ROWS)}")
    print("\n".join(mark + line for line in HEAD))
    failed = 0
    for number, (name, form) in enumerate(ROWS, 1):
        found = check(arguments.program, form)
        print(mark + format_row(name, found), flush=True)
        if not found["ok"]:
            failed += 1
            print(mark + json.dumps(found))
        if arguments.tap:
            print(f"{'ok' if found['ok'] else 'not ok'} {number} /opens/{name}",
                  flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
