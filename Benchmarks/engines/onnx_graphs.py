"""ONNX models of the cases, for every engine that reads ONNX."""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from assay_engine import Refused, Unsupported, keywords, require_sound

OPERATIONS = (
    "conv2d", "batch_norm2d", "relu", "identity", "softmax", "log_softmax", "flatten", "add", "max_pool2d",
    "avg_pool2d", "adaptive_avg_pool2d", "linear", "resnet", "group_norm", "layer_norm", "conv_transpose2d", "gelu",
    "silu", "scaled_add",
)

# What a graph has not: it ends with an operation's y or a network's logits.
OMITS = ("outputs/indices", "outputs/loss", *(f"outputs/stage{number}" for number in (1, 2, 3, 4)))

_RESNETS = {
    "resnet18": ("basic", (2, 2, 2, 2)), "resnet34": ("basic", (3, 4, 6, 3)), "resnet50": ("bottleneck", (3, 4, 6, 3)),
    "resnet101": ("bottleneck", (3, 4, 23, 3)), "resnet152": ("bottleneck", (3, 8, 36, 3)),
}


class Graph:
    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0
        # The operators that came later ask for more.
        self.opset, self.ir_version = 17, 8

    def require(self, opset, ir_version):
        self.opset, self.ir_version = opset, ir_version

    def add(self, kind, inputs, name=None, outputs=1, **attributes):
        self.count += 1
        names = [name or f"t{self.count}"] + [f"t{self.count}_{i}" for i in range(1, outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0]

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def model(self, inputs, output):
        values = [helper.make_tensor_value_info(k, TensorProto.FLOAT, list(v.shape)) for k, v in inputs.items()]
        results = [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)]
        graph = helper.make_graph(self.nodes, "case", values, results, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = self.ir_version
        try:
            onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
        except onnx.shape_inference.InferenceError as error:
            raise Refused("shape_mismatch", str(error).split("\n")[0]) from error
        return model


def _with_bias(case, g):
    inputs = ["x", g.constant("weight", case.parameters["weight"])]
    return inputs + ([g.constant("bias", case.parameters["bias"])] if "bias" in case.parameters else [])


def _conv(case, g):
    a = keywords(case)
    attributes = dict(strides=a["stride"], dilations=a["dilation"], group=a["groups"])
    if a["padding"] == "same":
        # ONNX Runtime refuses auto_pad beside a dilation: the pads as numbers, the odd one below and right.
        total = [d * (k - 1) for d, k in zip(a["dilation"], case.parameters["weight"].shape[2:])]
        before = [t // 2 for t in total]
        attributes["pads"] = before + [t - b for t, b in zip(total, before)]
    elif a["padding"] != "valid":
        attributes["pads"] = a["padding"] * 2
    g.add("Conv", _with_bias(case, g), "y", **attributes)


def _batch_norm(case, g):
    if case.boolean("training", False) or "running_mean" not in case.buffers:
        raise Unsupported("batch statistics: an inference runtime")
    channels = case.inputs["x"].shape[1]
    weight = case.parameters.get("weight", np.ones(channels, np.float32))
    bias = case.parameters.get("bias", np.zeros(channels, np.float32))
    values = {"weight": weight, "bias": bias, "mean": case.buffers["running_mean"], "var": case.buffers["running_var"]}
    inputs = ["x"] + [g.constant(name, value) for name, value in values.items()]
    g.add("BatchNormalization", inputs, "y", epsilon=case.real("eps", 1e-5))


def _pool(case, g):
    a = keywords(case)
    attributes = dict(
        kernel_shape=a["kernel_size"], strides=a["stride"], pads=a["padding"] * 2, ceil_mode=int(a["ceil_mode"]))
    if case.operation == "max_pool2d":
        g.add("MaxPool", ["x"], "y", dilations=a["dilation"], **attributes)
    elif a["divisor_override"] is not None:
        raise Unsupported("divisor_override")
    else:
        g.add("AveragePool", ["x"], "y", count_include_pad=int(a["count_include_pad"]), **attributes)


def _adaptive(case, g):
    if case.pair("output_size", 0) != (1, 1):
        raise Unsupported("adaptive pooling to more than 1×1")
    g.add("GlobalAveragePool", ["x"], "y")


def _linear(case, g):
    g.add("Gemm", _with_bias(case, g), "y", transB=1)


def _conv_transpose(case, g):
    a = keywords(case)
    g.add("ConvTranspose", _with_bias(case, g), "y", strides=a["stride"], dilations=a["dilation"], group=a["groups"],
          pads=a["padding"] * 2, output_padding=a["output_padding"])


def _affine(case, g, shape):
    """Weight and bias of a norm; the ones and zeros that stand for an absent one change no result."""
    for name, default in (("weight", np.ones), ("bias", np.zeros)):
        yield g.constant(name, case.parameters.get(name, default(shape, np.float32)))


def _group_norm(case, g):
    a = keywords(case)
    g.require(21, 10)
    g.add("GroupNormalization", ["x", *_affine(case, g, case.inputs["x"].shape[1:2])], "y", num_groups=a["num_groups"],
          epsilon=a["eps"])


def _layer_norm(case, g):
    a = keywords(case)
    dims = a["normalized_dims"]
    g.add("LayerNormalization", ["x", *_affine(case, g, case.inputs["x"].shape[-dims:])], "y", axis=-dims,
          epsilon=a["eps"])


def _gelu(case, g):
    g.require(20, 9)
    g.add("Gelu", ["x"], "y", approximate=keywords(case)["approximate"])


def _silu(case, g):
    g.add("Mul", ["x", g.add("Sigmoid", ["x"])], "y")


def _scaled_add(case, g):
    alpha = g.constant("alpha", np.float32(case.real("alpha", 1.0)))
    g.add("Add", ["x", g.add("Mul", ["other", alpha])], "y")


def _resnet(case, g):
    architecture = case.string("architecture")
    if architecture not in _RESNETS or case.boolean("training", False):
        raise Unsupported(f"{architecture}, in training mode or not built here")
    kind, blocks = _RESNETS[architecture]
    tensors = {**case.parameters, **case.buffers}

    def conv(x, name, stride=1):
        weight = tensors[f"{name}.weight"]
        pad = weight.shape[2] // 2
        return g.add("Conv", [x, g.constant(f"{name}.weight", weight)], strides=[stride] * 2, pads=[pad] * 4)

    def bn(x, name):
        keys = [f"{name}.{k}" for k in ("weight", "bias", "running_mean", "running_var")]
        return g.add("BatchNormalization", [x] + [g.constant(k, tensors[k]) for k in keys], epsilon=1e-5)

    def relu(x):
        return g.add("Relu", [x])

    x = relu(bn(conv("x", "conv1", 2), "bn1"))
    x = g.add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for stage, count in enumerate(blocks, 1):
        for block in range(count):
            name, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = x
            steps = (stride, 1) if kind == "basic" else (1, stride, 1)
            for i, step in enumerate(steps, 1):
                y = bn(conv(y, f"{name}.conv{i}", step), f"{name}.bn{i}")
                if i < len(steps):
                    y = relu(y)
            if f"{name}.downsample.0.weight" in tensors:
                x = bn(conv(x, f"{name}.downsample.0", stride), f"{name}.downsample.1")
            x = relu(g.add("Add", [y, x]))
    x = g.add("Flatten", [g.add("GlobalAveragePool", [x])])
    g.add("Gemm", [x, g.constant("fc.weight", tensors["fc.weight"]), g.constant("fc.bias", tensors["fc.bias"])],
          "logits", transB=1)


def _simple(kind, **attributes):
    return lambda case, g: g.add(kind, ["x", "other"] if kind == "Add" else ["x"], "y", **attributes)


_BUILDERS = {
    "conv2d": _conv, "batch_norm2d": _batch_norm, "max_pool2d": _pool, "avg_pool2d": _pool,
    "adaptive_avg_pool2d": _adaptive, "linear": _linear, "resnet": _resnet, "relu": _simple("Relu"),
    "identity": _simple("Identity"), "softmax": _simple("Softmax", axis=1),
    "log_softmax": _simple("LogSoftmax", axis=1),
    "flatten": _simple("Flatten", axis=1), "add": _simple("Add"), "conv_transpose2d": _conv_transpose,
    "group_norm": _group_norm, "layer_norm": _layer_norm, "gelu": _gelu, "silu": _silu, "scaled_add": _scaled_add,
}


def groups(case, output, y):
    """What a runtime answers with: inference leaves every buffer as it was."""
    answer = {"outputs": {output: y}}
    if case.buffers:
        answer["buffers_after"] = case.buffers
    return answer


def build(case):
    """The model, its inputs by name, and its output's name."""
    graph = Graph()
    require_sound(case)
    inputs = {k: v for k, v in case.inputs.items() if k in ("x", "other")}
    _BUILDERS[case.operation](case, graph)
    output = "logits" if case.operation == "resnet" else "y"
    return graph.model(inputs, output), inputs, output
