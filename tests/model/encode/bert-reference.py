#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Embeds token ids with model-spec.md's generated BERT (its model B), in double
precision and nothing but Python's own arithmetic: where the values of bert.c
come from. `bert-reference.py 2 10 20 30 40 3` prints the values that
model-spec.md gives for the original code."""

import math
import sys

WIDTH, HEADS, MLP, LAYERS, EMBED, EPS = 128, 2, 256, 2, 32, 1e-12
MASKED = -10000.0


def uniform(index, name):
    h = 2166136261
    for byte in name.encode():
        h = (h ^ byte) * 16777619 % 2**32
    h = (index * 2654435761 + h) % 2**32
    h = (h ^ h >> 15) * 2246822519 % 2**32
    h = (h ^ h >> 13) * 3266489917 % 2**32
    return ((h ^ h >> 16) >> 8) * 2**-23 - 1


def tensor(name, rows, columns):
    if "LayerNorm.weight" in name:
        make = lambda u: 1 + u / 8
    elif name.endswith("bias"):
        make = lambda u: u / 16
    else:
        make = lambda u: u / (4 if "position" in name else 8)
    return [[make(uniform(r * columns + c, name)) for c in range(columns)]
            for r in range(rows)]


def linear(x, name, rows, columns):
    weight = tensor(name + ".weight", rows, columns)
    bias = tensor(name + ".bias", 1, rows)[0]
    return [[math.fsum(a * b for a, b in zip(row, w)) + c
             for w, c in zip(weight, bias)] for row in x]


def norm(x, name):
    gamma = tensor(name + ".weight", 1, WIDTH)[0]
    beta = tensor(name + ".bias", 1, WIDTH)[0]
    result = []
    for row in x:
        mean = math.fsum(row) / WIDTH
        var = math.fsum((v - mean) ** 2 for v in row) / WIDTH
        result.append([(v - mean) / math.sqrt(var + EPS) * g + b
                       for v, g, b in zip(row, gamma, beta)])
    return result


def attend(x, prefix, mask):
    q, k, v = (linear(x, prefix + "attention.self." + part, WIDTH, WIDTH)
               for part in ("query", "key", "value"))
    size = WIDTH // HEADS
    result = [[] for _ in x]
    for first in range(0, WIDTH, size):
        head = slice(first, first + size)
        for row, query in zip(result, q):
            scores = [math.fsum(a * b for a, b in zip(query[head], key[head]))
                      / math.sqrt(size) + m for key, m in zip(k, mask)]
            shares = [math.exp(s - max(scores)) for s in scores]
            total = math.fsum(shares)
            row += [math.fsum(s / total * value[first + i]
                              for s, value in zip(shares, v))
                    for i in range(size)]
    return linear(result, prefix + "attention.output.dense", WIDTH, WIDTH)


def add(x, y):
    return [[a + b for a, b in zip(*rows)] for rows in zip(x, y)]


def embed(ids):
    name = "bert.embeddings."
    words = tensor(name + "word_embeddings.weight", 64, WIDTH)
    positions = tensor(name + "position_embeddings.weight", 32, WIDTH)
    kind = tensor(name + "token_type_embeddings.weight", 2, WIDTH)[0]
    x = norm([[a + b + c for a, b, c in zip(words[i], positions[t], kind)]
              for t, i in enumerate(ids)], name + "LayerNorm")
    mask = [0.0 if i != 0 else MASKED for i in ids]
    for layer in range(LAYERS):
        prefix = f"bert.encoder.layer.{layer}."
        x = norm(add(x, attend(x, prefix, mask)),
                 prefix + "attention.output.LayerNorm")
        hidden = linear(x, prefix + "intermediate.dense", MLP, WIDTH)
        hidden = [[0.5 * v * (1 + math.erf(v / math.sqrt(2))) for v in row]
                  for row in hidden]
        x = norm(add(x, linear(hidden, prefix + "output.dense", WIDTH, MLP)),
                 prefix + "output.LayerNorm")
    projection = tensor("text_projection", WIDTH, EMBED)
    return [math.fsum(a * row[e] for a, row in zip(x[0], projection))
            for e in range(EMBED)]


if __name__ == "__main__":
    values = embed([int(word) for word in sys.argv[1:]])
    print(", ".join(f"{v:.7g}" for v in values[:8]),
          f"norm {math.hypot(*values):.7g}")
