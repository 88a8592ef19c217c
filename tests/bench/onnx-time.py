#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: the clipfilter authors
"""onnx-time.py REPORT [ROUNDS]: ONNX Runtime's time for the same picture side.

REPORT is what `clip-bench --json` printed last. The model is written here, of
its shapes, in the operators that PyTorch's exporter writes, with random
weights. Needs Debian's python3-onnx and python3-onnxruntime. Prints one JSON
object.
"""

import json
import statistics
import sys
import time

import numpy
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Operators in order; each gives the name of its output."""

    def __init__(self):
        self.nodes, self.weights = [], []
        self.random = numpy.random.default_rng(1)

    def constant(self, array):
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, *shape):
        """As a trained layer has them: what goes in comes out as large."""
        scale = (3 / numpy.prod(shape[1:] if len(shape) == 4 else shape[:1])) ** 0.5
        values = self.random.uniform(-scale, scale, shape)
        return self.constant(values.astype(numpy.float32))

    def vector(self, size, value=0.0):
        return self.constant(numpy.full(size, value, numpy.float32))

    def add(self, operator, *inputs, **attributes):
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def reshape(self, x, *shape):
        return self.add("Reshape", x, self.constant(numpy.array(shape, numpy.int64)))

    def linear(self, x, in_width, out_width):
        product = self.add("MatMul", x, self.weight(in_width, out_width))
        return self.add("Add", product, self.vector(out_width))

    def norm(self, x, width):
        return self.add(
            "LayerNormalization", x, self.vector(width, 1.0), self.vector(width),
            axis=-1, epsilon=1e-5)

    def first(self, x):
        zero = self.constant(numpy.array(0, numpy.int64))
        return self.add("Gather", x, zero, axis=1)


def attention(graph, q, k, v, shape, head_width):
    """q: [B, Q, W], k and v: [B, T, W]"""
    batch, heads = shape["batch"], shape["heads"]
    width = heads * head_width
    q, v = (
        graph.add("Transpose", graph.reshape(x, batch, -1, heads, head_width),
                  perm=[0, 2, 1, 3])
        for x in (q, v))
    k = graph.add("Transpose", graph.reshape(k, batch, -1, heads, head_width),
                  perm=[0, 2, 3, 1])
    scale = graph.constant(numpy.array(head_width**-0.5, numpy.float32))
    scores = graph.add("MatMul", graph.add("Mul", q, scale), k)
    values = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), v)
    return graph.reshape(
        graph.add("Transpose", values, perm=[0, 2, 1, 3]), batch, -1, width)


def block(graph, x, shape):
    width, mlp = shape["width"], shape["mlp"]
    qkv = graph.linear(graph.norm(x, width), width, 3 * width)
    parts = [f"{qkv}_{i}" for i in range(3)]
    sizes = graph.constant(numpy.full(3, width, numpy.int64))
    graph.nodes.append(helper.make_node("Split", [qkv, sizes], parts, axis=-1))
    heads = attention(graph, *parts, shape, width // shape["heads"])
    x = graph.add("Add", x, graph.linear(heads, width, width))
    hidden = graph.linear(graph.norm(x, width), width, mlp)
    gate = graph.add("Mul", hidden, graph.constant(numpy.array(1.702, numpy.float32)))
    hidden = graph.add("Mul", hidden, graph.add("Sigmoid", gate))
    return graph.add("Add", x, graph.linear(hidden, mlp, width))


def vision_transformer(graph, x, shape):
    batch, width, patch = shape["batch"], shape["width"], shape["patch"]
    tokens = (shape["side"] // patch) ** 2 + 1
    x = graph.add("Conv", x, graph.weight(width, 3, patch, patch),
                  kernel_shape=[patch, patch], strides=[patch, patch])
    x = graph.add("Transpose", graph.reshape(x, batch, width, -1), perm=[0, 2, 1])
    token = graph.constant(numpy.zeros((batch, 1, width), numpy.float32))
    x = graph.add("Concat", token, x, axis=1)
    x = graph.norm(graph.add("Add", x, graph.weight(tokens, width)), width)
    for _ in range(shape["layers"][0]):
        x = block(graph, x, shape)
    x = graph.norm(graph.first(x), width)
    return graph.add("MatMul", x, graph.weight(width, shape["embedding"]))


def convolution(graph, x, in_width, out_width, kernel=1, stride=1):
    """BatchNorm is folded, as ONNX Runtime itself would."""
    return graph.add(
        "Conv", x, graph.weight(out_width, in_width, kernel, kernel),
        graph.vector(out_width), kernel_shape=[kernel, kernel],
        strides=[stride, stride], pads=[kernel // 2] * 4)


def pool(graph, x, stride):
    if stride == 1:
        return x
    return graph.add("AveragePool", x, kernel_shape=[stride] * 2, strides=[stride] * 2)


def bottleneck(graph, x, in_width, planes, stride):
    y = graph.add("Relu", convolution(graph, x, in_width, planes))
    y = graph.add("Relu", convolution(graph, y, planes, planes, 3))
    y = convolution(graph, pool(graph, y, stride), planes, 4 * planes)
    if stride > 1 or in_width != 4 * planes:
        x = convolution(graph, pool(graph, x, stride), in_width, 4 * planes)
    return graph.add("Relu", graph.add("Add", y, x))


def modified_resnet(graph, x, shape):
    width = shape["width"]
    for in_width, out_width, stride in (
            (3, width // 2, 2), (width // 2, width // 2, 1), (width // 2, width, 1)):
        x = graph.add("Relu", convolution(graph, x, in_width, out_width, 3, stride))
    x = pool(graph, x, 2)
    channels = width
    for stage, n_blocks in enumerate(shape["layers"]):
        for i in range(n_blocks):
            stride = 2 if stage > 0 and i == 0 else 1
            x = bottleneck(graph, x, channels, width << stage, stride)
            channels = 4 * (width << stage)
    tokens = (shape["side"] // 32) ** 2 + 1
    x = graph.add("Transpose", graph.reshape(x, shape["batch"], channels, -1),
                  perm=[0, 2, 1])
    x = graph.add("Concat", graph.add("ReduceMean", x, axes=[1], keepdims=1), x, axis=1)
    x = graph.add("Add", x, graph.weight(tokens, channels))
    query = graph.reshape(graph.first(x), shape["batch"], 1, channels)
    q, k, v = (graph.linear(y, channels, channels) for y in (query, x, x))
    x = attention(graph, q, k, v, shape, channels // shape["heads"])
    return graph.linear(graph.first(x), channels, shape["embedding"])


def main():
    report = json.loads(sys.argv[1])
    shape = report["vision"] | {"batch": report["batch"]}
    size = [shape["batch"], 3, shape["side"], shape["side"]]
    graph = Graph()
    build = vision_transformer if "patch" in shape else modified_resnet
    output = build(graph, "pixels", shape)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "picture",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, size)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
            graph.weights),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = report["threads"]
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    pixels = {"pixels": numpy.random.default_rng(2).normal(size=size).astype(numpy.float32)}
    times = []
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20):
        start = time.perf_counter()
        found = session.run(None, pixels)[0]
        times.append((time.perf_counter() - start) * 1e3)
    assert found.shape == (shape["batch"], shape["embedding"]), found.shape
    assert numpy.isfinite(found).all()
    print(json.dumps(separators=(",", ":"), obj={
        "onnx_ms": statistics.median(times[1:] or times),
        "version": onnxruntime.__version__,
    }))


main()
