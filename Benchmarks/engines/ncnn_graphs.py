"""ncnn's text and weights of a case's ONNX graph: each node as the layer of ncnn's that does the same.

Batch norms that follow a convolution are folded into it, and so is the ReLU after it, as ncnn's own converter does.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from onnx import helper, numpy_helper

from assay_engine import Unsupported


@dataclass
class _Layer:
    kind: str
    inputs: list
    output: str
    # By ncnn's number of each.
    parameters: dict
    # Each as (array, whether ncnn reads a flag of its type ahead of it).
    weights: list = field(default_factory=list)

    @property
    def is_convolution(self):
        return self.kind.startswith("Convolution")


def _convolution(attributes, weight, bias):
    (top, left, bottom, right), groups = attributes.get("pads", [0] * 4), attributes.get("group", 1)
    dilation, stride = attributes.get("dilations", [1, 1]), attributes["strides"]
    parameters = {
        0: weight.shape[0], 1: weight.shape[3], 11: weight.shape[2], 2: dilation[1], 12: dilation[0], 3: stride[1],
        13: stride[0], 4: left, 15: right, 14: top, 16: bottom, 5: int(bias is not None), 6: weight.size}
    if groups > 1:
        parameters[7] = groups
    weights = [(weight, True)] + ([(bias, False)] if bias is not None else [])
    return "Convolution" if groups == 1 else "ConvolutionDepthWise", parameters, weights


def _fully_connected(attributes, weight, bias):
    parameters = {0: weight.shape[0], 1: int(bias is not None), 2: weight.size}
    return "InnerProduct", parameters, [(weight, True)] + ([(bias, False)] if bias is not None else [])


def _batch_norm(attributes, weight, bias, mean, variance):
    parameters = {0: weight.size, 1: attributes["epsilon"]}
    return "BatchNorm", parameters, [(each, False) for each in (weight, mean, variance, bias)]


def _pool(kind, attributes):
    (top, left, bottom, right), ceil = attributes["pads"], attributes.get("ceil_mode", 0)
    if attributes.get("dilations", [1, 1]) != [1, 1]:
        raise Unsupported("dilated pooling")
    if ceil:
        raise Unsupported("ceil_mode: ncnn's full windows may start in the padding, and count what is beyond it")
    return "Pooling", {
        0: int(kind == "AveragePool"), 1: attributes["kernel_shape"][1], 11: attributes["kernel_shape"][0],
        2: attributes["strides"][1], 12: attributes["strides"][0], 3: left, 14: right, 13: top, 15: bottom, 5: 1,
        6: attributes.get("count_include_pad", 0)}, []


# By the node's type: what is given its attributes and its constants, and returns the layer's type, parameters, weights.
_LAYERS = {
    "Conv": lambda a, weight, bias=None: _convolution(a, weight, bias),
    "Gemm": lambda a, weight, bias=None: _fully_connected(a, weight, bias),
    "BatchNormalization": _batch_norm,
    "MaxPool": lambda a: _pool("MaxPool", a),
    "AveragePool": lambda a: _pool("AveragePool", a),
    "GlobalAveragePool": lambda a: ("Pooling", {0: 1, 4: 1}, []),
    "Relu": lambda a: ("ReLU", {}, []),
    # ncnn's axes begin behind the batch, but for rows, which it takes all at once.
    "Softmax": lambda a: ("Softmax", {0: a["axis"] - (a["rank"] > 2), 1: 1}, []),
    "Add": lambda a: ("BinaryOp", {0: 0}, []),
    "Flatten": lambda a: ("Flatten", {}, []),
}


def _fold(layer, attributes, weight, bias, mean, variance):
    """Puts the batch norm behind a convolution into its weights and its bias."""
    scale = weight / np.sqrt(variance.astype(np.float64) + attributes["epsilon"])
    (taps, _), *before = layer.weights
    shift = bias + ((before[0][0] if before else 0) - mean) * scale
    layer.weights = [
        ((taps * scale[:, None, None, None]).astype(np.float32), True), (shift.astype(np.float32), False)]
    layer.parameters[5] = 1


def _layers(graph):
    """ncnn's layers of an ONNX graph, in its order."""
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    consumers = Counter(name for node in graph.node for name in node.input)
    rank = len(graph.input[0].type.tensor_type.shape.dim)
    layers, producer = [], {}
    for node in graph.node:
        attributes = {each.name: helper.get_attribute_value(each) for each in node.attribute} | {"rank": rank}
        given = [constants[name] for name in node.input if name in constants]
        inputs, output = [name for name in node.input if name not in constants], node.output[0]
        if node.op_type not in _LAYERS:
            raise Unsupported(f"{node.op_type}: no layer here")
        last = producer.get(inputs[0])
        if last is not None and last.is_convolution and consumers[inputs[0]] == 1 and 9 not in last.parameters:
            if node.op_type == "BatchNormalization":
                _fold(last, attributes, *given)
            if node.op_type == "Relu":
                last.parameters[9] = 1
            if node.op_type in ("BatchNormalization", "Relu"):
                last.output, producer[output] = output, last
                continue
        kind, parameters, weights = _LAYERS[node.op_type](attributes, *given)
        layer = _Layer(kind, inputs, output, parameters, weights)
        layers.append(layer)
        producer[output] = layer
    return layers


def _split(layers):
    """With a layer of ncnn's that gives each consumer of a blob its own."""
    consumers = Counter(name for layer in layers for name in layer.inputs)
    taken = Counter()
    for layer in layers:
        for place, name in enumerate(layer.inputs):
            if consumers[name] > 1:
                layer.inputs[place] = f"{name}_{taken[name]}"
                taken[name] += 1
    return {name: [f"{name}_{i}" for i in range(count)] for name, count in consumers.items() if count > 1}


def text_and_weights(model):
    """What ncnn reads of an ONNX model: its `.param` as text and its `.bin` as bytes."""
    layers = _layers(model.graph)
    splits = _split(layers)
    lines = []

    def line(kind, inputs, outputs, parameters=()):
        lines.append((kind, inputs, outputs, " ".join(f"{key}={value}" for key, value in dict(parameters).items())))
        for name in outputs:
            if name in splits:
                line("Split", [name], splits[name])

    for value in model.graph.input:
        line("Input", [], [value.name])
    for layer in layers:
        line(layer.kind, layer.inputs, [layer.output], layer.parameters)
    blobs = sum(len(outputs) for _, _, outputs, _ in lines)
    text = ["7767517", f"{len(lines)} {blobs}"]
    for number, (kind, inputs, outputs, parameters) in enumerate(lines):
        text.append(
            f"{kind} l{number} {len(inputs)} {len(outputs)} {' '.join([*inputs, *outputs])} {parameters}")
    weights = b"".join(
        (b"\0\0\0\0" if flagged else b"") + np.ascontiguousarray(array, np.float32).tobytes()
        for layer in layers for array, flagged in layer.weights)
    return "\n".join(text) + "\n", weights
