"""ONNX models of the cases, for every engine that reads ONNX."""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from assay_engine import Refused, Unsupported

OPERATIONS = (
    "conv2d", "batch_norm2d", "relu", "identity", "softmax", "log_softmax", "flatten", "add", "max_pool2d",
    "avg_pool2d", "adaptive_avg_pool2d", "linear", "resnet", "group_norm", "layer_norm", "conv_transpose2d", "gelu",
    "silu", "scaled_add",
)

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
        graph = helper.make_graph(
            self.nodes, "case", values, [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = self.ir_version
        try:
            onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
        except onnx.shape_inference.InferenceError as error:
            raise Refused("shape_mismatch", str(error).split("\n")[0]) from error
        return model


def _positive(case, *names):
    for name in names:
        if min(case.pair(name, 1)) < 1:
            raise Refused("invalid_argument", f"{name} {case.pair(name, 1)} is not positive")


def _conv(case, g):
    _positive(case, "stride", "dilation")
    weight, groups = case.parameters["weight"], case.integer("groups", 1)
    channels = case.inputs["x"].shape[1]
    if groups < 1 or channels % groups or weight.shape[0] % groups:
        raise Refused("invalid_argument", f"{groups} groups do not divide {channels} and {weight.shape[0]} channels")
    if weight.shape[1] != channels // groups:
        raise Refused("shape_mismatch", f"weight {weight.shape} for {channels} channels in {groups} groups")
    padding = case.padding()
    if isinstance(padding, str) and padding not in ("same", "valid"):
        raise Refused("invalid_argument", f"padding {padding}: expected same or valid")
    attributes = dict(strides=case.pair("stride", 1), dilations=case.pair("dilation", 1), group=groups)
    if padding == "same":
        if attributes["strides"] != (1, 1):
            raise Refused("invalid_argument", "padding same needs stride 1")
        # ONNX Runtime refuses auto_pad beside a dilation: the pads as numbers, the odd one below and right.
        total = [d * (k - 1) for d, k in zip(attributes["dilations"], weight.shape[2:])]
        before = [t // 2 for t in total]
        attributes["pads"] = before + [t - b for t, b in zip(total, before)]
    elif padding != "valid":
        if min(padding) < 0:
            raise Refused("invalid_argument", f"padding {padding} is negative")
        attributes["pads"] = padding * 2
    inputs = ["x", g.constant("weight", weight)]
    if "bias" in case.parameters:
        if case.parameters["bias"].shape != weight.shape[:1]:
            raise Refused("shape_mismatch", f"bias {case.parameters['bias'].shape} for {weight.shape[0]} channels")
        inputs.append(g.constant("bias", case.parameters["bias"]))
    g.add("Conv", inputs, "y", **attributes)


def _batch_norm(case, g):
    if case.boolean("training", False) or "running_mean" not in case.buffers:
        raise Unsupported("batch statistics: an inference runtime")
    channels = case.inputs["x"].shape[1]
    weight = case.parameters.get("weight", np.ones(channels, np.float32))
    bias = case.parameters.get("bias", np.zeros(channels, np.float32))
    values = {"weight": weight, "bias": bias, "mean": case.buffers["running_mean"], "var": case.buffers["running_var"]}
    for name, value in values.items():
        if value.shape != (channels,):
            raise Refused("shape_mismatch", f"{name} {value.shape} for {channels} channels")
    g.add("BatchNormalization", ["x"] + [g.constant(k, v) for k, v in values.items()], "y", epsilon=case.real("eps", 1e-5))


def _pool(case, g):
    kernel = case.pair("kernel_size", 0)
    _positive(case, "kernel_size", "stride", "dilation")
    padding = case.pair("padding", 0)
    if min(padding) < 0 or padding[0] * 2 > kernel[0] or padding[1] * 2 > kernel[1]:
        raise Refused("invalid_argument", f"padding {padding} for kernel {kernel}")
    if "divisor_override" in case.attributes:
        raise Unsupported("divisor_override")
    attributes = dict(kernel_shape=kernel, strides=case.pair("stride", kernel), pads=padding * 2,
                      ceil_mode=int(case.boolean("ceil_mode", False)))
    if case.operation == "max_pool2d":
        g.add("MaxPool", ["x"], "y", dilations=case.pair("dilation", 1), **attributes)
    else:
        g.add("AveragePool", ["x"], "y", count_include_pad=int(case.boolean("count_include_pad", True)), **attributes)


def _adaptive(case, g):
    if case.pair("output_size", 0) != (1, 1):
        raise Unsupported("adaptive pooling to more than 1×1")
    g.add("GlobalAveragePool", ["x"], "y")


def _linear(case, g):
    x, weight = case.inputs["x"], case.parameters["weight"]
    if x.ndim != 2 or weight.ndim != 2 or x.shape[1] != weight.shape[1]:
        raise Refused("shape_mismatch", f"x {x.shape}, weight {weight.shape}")
    inputs = ["x", g.constant("weight", weight)]
    if "bias" in case.parameters:
        if case.parameters["bias"].shape != weight.shape[:1]:
            raise Refused("shape_mismatch", f"bias {case.parameters['bias'].shape}, weight {weight.shape}")
        inputs.append(g.constant("bias", case.parameters["bias"]))
    g.add("Gemm", inputs, "y", transB=1)


def _conv_transpose(case, g):
    _positive(case, "stride", "dilation")
    x, weight, groups = case.inputs["x"], case.parameters["weight"], case.integer("groups", 1)
    if x.ndim != 4 or weight.ndim != 4:
        raise Refused("shape_mismatch", f"x {x.shape}, weight {weight.shape}: expected four axes")
    if groups < 1 or weight.shape[0] % groups:
        raise Refused("invalid_argument", f"{groups} groups do not divide {weight.shape[0]} channels")
    if x.shape[1] != weight.shape[0]:
        raise Refused("shape_mismatch", f"weight {weight.shape} for {x.shape[1]} channels")
    stride, dilation = case.pair("stride", 1), case.pair("dilation", 1)
    if case.padding() in ("same", "valid"):
        raise Refused("invalid_argument", "padding: expected numbers")
    padding, extra = case.pair("padding", 0), case.pair("output_padding", 0)
    if min(padding) < 0 or min(extra) < 0 or any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation)):
        raise Refused("invalid_argument", f"padding {padding} or output_padding {extra} is out of its range")
    out = [s * (n - 1) + d * (k - 1) + 1 + e - 2 * p for s, n, d, k, e, p in
           zip(stride, x.shape[2:], dilation, weight.shape[2:], extra, padding)]
    if min(out) < 1:
        raise Refused("shape_mismatch", f"an output of {out[0]}×{out[1]}")
    inputs = ["x", g.constant("weight", weight)]
    if "bias" in case.parameters:
        channels = weight.shape[1] * groups
        if case.parameters["bias"].shape != (channels,):
            raise Refused("shape_mismatch", f"bias {case.parameters['bias'].shape} for {channels} channels")
        inputs.append(g.constant("bias", case.parameters["bias"]))
    g.add("ConvTranspose", inputs, "y", strides=stride, dilations=dilation, group=groups, pads=padding * 2,
          output_padding=extra)


def _affine(case, g, shape):
    """Weight and bias of a norm; the ones and zeros that stand for an absent one change no result."""
    for name, default in (("weight", np.ones), ("bias", np.zeros)):
        value = case.parameters.get(name, default(shape, np.float32))
        if value.shape != tuple(shape):
            raise Refused("shape_mismatch", f"{name} {value.shape}: expected {tuple(shape)}")
        yield g.constant(name, value)


def _group_norm(case, g):
    x, groups = case.inputs["x"], case.integer("num_groups", 0)
    if x.ndim < 2:
        raise Refused("shape_mismatch", f"x {x.shape}: expected two axes or more")
    if groups < 1 or x.shape[1] % groups:
        raise Refused("invalid_argument", f"{groups} groups do not divide {x.shape[1]} channels")
    g.require(21, 10)
    g.add("GroupNormalization", ["x", *_affine(case, g, x.shape[1:2])], "y", num_groups=groups,
          epsilon=case.real("eps", 1e-5))


def _layer_norm(case, g):
    x, dims = case.inputs["x"], case.integer("normalized_dims", 0)
    if dims < 1:
        raise Refused("invalid_argument", f"normalized_dims {dims}: expected 1 or more")
    if dims > x.ndim:
        raise Refused("shape_mismatch", f"normalized_dims {dims} of x {x.shape}")
    g.add("LayerNormalization", ["x", *_affine(case, g, x.shape[-dims:])], "y", axis=-dims,
          epsilon=case.real("eps", 1e-5))


def _gelu(case, g):
    form = case.string("approximate", "none")
    if form not in ("none", "tanh"):
        raise Refused("invalid_argument", f"approximate {form!r}: expected none or tanh")
    g.require(20, 9)
    g.add("Gelu", ["x"], "y", approximate=form)


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
    "identity": _simple("Identity"), "softmax": _simple("Softmax", axis=1), "log_softmax": _simple("LogSoftmax", axis=1),
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
    inputs = {k: v for k, v in case.inputs.items() if k in ("x", "other")}
    for name, value in inputs.items():
        if value.dtype != np.float32:
            raise Refused("unsupported_dtype", f"{name} is {value.dtype}: expected float32")
    for name, value in case.parameters.items():
        if value.dtype.kind != "f":
            raise Refused("unsupported_dtype", f"{name} is {value.dtype}: expected float32")
    if len({v.shape for v in inputs.values()}) > 1:
        raise Refused("shape_mismatch", f"x and other differ: {[v.shape for v in inputs.values()]}")
    _BUILDERS[case.operation](case, graph)
    output = "logits" if case.operation == "resnet" else "y"
    return graph.model(inputs, output), inputs, output
