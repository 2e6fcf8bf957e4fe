"""The null engine, to be run as a module: reads what `load` brings, fills outputs of the right size with the unwritten
mark, and computes nothing.

What it spends in untimed requests is what moving the bytes costs in this language, and what it claims for an iteration
is the cost of an empty call between two readings of the clock. Between layers it keeps another layout than NCHW, as
engines do that are fast: what that costs when operands are loaded and results collected is no work of the operation.
"""

import numpy as np

from .attributes import ATTRIBUTES, keywords
from .engine import Engine, Prepared, Run
from .marks import marked
from .refusals import Unsupported
from .serving import serve_engine


def _windows(extents, kernel, stride, padding, dilation=(1, 1), ceil=False):
    if isinstance(padding, str):
        padding = [d * (k - 1) / 2 if padding == "same" else 0 for d, k in zip(dilation, kernel)]
    rounded = np.ceil if ceil else np.floor
    return tuple(
        int(rounded((n + 2 * p - d * (k - 1) - 1) / s)) + 1
        for n, k, s, p, d in zip(extents, kernel, stride, padding, dilation))


def _convolved(x, weight, a):
    return (x[0], weight[0], *_windows(x[2:], weight[2:], a["stride"], a["padding"], a["dilation"]))


def _transposed(x, weight, a):
    sides = zip(x[2:], weight[2:], a["stride"], a["padding"], a["output_padding"], a["dilation"])
    return (x[0], weight[1] * a["groups"], *((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, s, p, e, d in sides))


def _pooled(x, weight, a):
    return (*x[:2], *_windows(
        x[2:], a["kernel_size"], a["stride"], a["padding"], a.get("dilation", (1, 1)), a["ceil_mode"]))


def _upsampled(x, weight, a):
    return (*x[:2], *(a["size"] or (int(n * f) for n, f in zip(x[2:], a["scale_factor"]))))


# The shape of the output, of those of x and the weight and of the attributes; elsewhere it is that of x.
_SHAPES = {
    "conv2d": _convolved, "conv_transpose2d": _transposed, "max_pool2d": _pooled, "avg_pool2d": _pooled,
    "upsample2d": _upsampled, "adaptive_avg_pool2d": lambda x, weight, a: (*x[:2], *a["output_size"]),
    "linear": lambda x, weight, a: (x[0], weight[0]), "cross_entropy": lambda x, weight, a: (),
    "flatten": lambda x, weight, a: (x[0], int(np.prod(x[1:]))),
    "resnet": lambda x, weight, a: (x[0], a["num_classes"]),
}
_NAMES = {"cross_entropy": "loss", "resnet": "logits"}
_GRADIENTS = {"backward_data": "x", "backward_weight": "weight"}
# What a step of an optimiser leaves besides its trajectory.
_MOMENTS = {"sgd_step": ("momentum_buffer",), "adam_step": ("exp_avg", "exp_avg_sq"), "adamw_step": ("exp_avg", "exp_avg_sq")}


def _block(case):
    """A residual block's output: as wide as its last convolution, and as small as its strides make the image."""
    last = max(name for name in case.parameters if name.startswith("conv") and name.endswith(".weight"))
    stride = case.integer("stride", 1)
    n, _, *sides = case.inputs["x"].shape
    return (n, case.parameters[last].shape[0], *((side - 1) // stride + 1 for side in sides))


def _results(case, timed_pass):
    """What a pass gives: a group, and by name a shape and a type."""
    if timed_pass in _GRADIENTS:
        name = _GRADIENTS[timed_pass]
        found = {**case.inputs, **case.parameters}.get(name)
        if found is None:
            raise Unsupported(f"{timed_pass} of {case.operation}")
        return "gradients", {name: (found.shape, found.dtype)}
    if case.operation in _MOMENTS:
        gradients, p = case.inputs["gradients"], case.parameters["p"]
        moments = _MOMENTS[case.operation] if keywords(case).get("momentum", 1) else ()
        return "outputs", {
            "trajectory": (gradients.shape, gradients.dtype), **{name: (p.shape, p.dtype) for name in moments}}
    x = case.inputs["x"]
    if timed_pass == "training_step":
        return "outputs", {"loss": ((), x.dtype)}
    if case.operation in ("basic_block", "bottleneck"):
        shape = _block(case)
    else:
        weight = case.parameters.get("weight")
        find = _SHAPES.get(case.operation, lambda x, weight, a: x)
        shape = find(x.shape, None if weight is None else weight.shape, keywords(case))
    results = {_NAMES.get(case.operation, "y"): (shape, x.dtype)}
    if case.operation == "max_pool2d":
        results["indices"] = (shape, np.dtype(np.int64))
    return "outputs", results


class Null(Engine):
    name, version = "null", "1"
    operations = tuple(name for name in ATTRIBUTES if name != "residual_block")
    dtypes, passes = ("float32", "float64", "float16", "bfloat16"), ("forward", "backward")

    def prepare(self, case, timed_pass, layout, threads):
        group, results = _results(case, timed_pass)
        for name, (shape, _) in results.items():
            if any(n < 1 for n in shape):
                raise Unsupported(f"{case.operation} to {name} of shape {shape}")

        if layout == "native" and len(results) == 1:
            (name, (shape, dtype)), = results.items()
            if len(shape) == 4:
                return Prepared(lambda inputs, upstream: _native(inputs, upstream, shape, dtype, group, name), "nothing")

        def bind(inputs, upstream):
            buffers = {name: marked(shape, dtype) for name, (shape, dtype) in results.items()}
            return Run(lambda: None, lambda _: {group: buffers}, buffers=tuple(buffers.values()))

        return Prepared(bind, "nothing")


def _native(inputs, upstream, shape, dtype, group, name):
    """A set whose tensors are kept channels last."""
    arrays = [array for array in (*inputs.values(), *upstream.values()) if array.ndim == 4]
    kept = [np.ascontiguousarray(array.transpose(0, 2, 3, 1)) for array in arrays]
    buffer = marked((shape[0], *shape[2:], shape[1]), dtype)

    def refresh():
        for held, array in zip(kept, arrays):
            held[...] = array.transpose(0, 2, 3, 1)

    return Run(
        lambda: None, lambda _: {group: {name: np.ascontiguousarray(buffer.transpose(0, 3, 1, 2))}}, (buffer,), refresh)


if __name__ == "__main__":
    serve_engine(Null())
