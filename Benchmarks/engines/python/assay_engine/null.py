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


class Null(Engine):
    name, version = "null", "1"
    operations = tuple(name for name in ATTRIBUTES if not name.endswith(("_step", "_block", "bottleneck")))
    dtypes, passes = ("float32", "float64", "float16", "bfloat16"), ("forward", "backward")

    def prepare(self, case, timed_pass, layout, threads):
        shape = _SHAPES.get(case.operation, lambda x, weight, a: x)
        x, weight = case.inputs["x"], case.parameters.get("weight")
        if timed_pass in _GRADIENTS:
            group, name = "gradients", _GRADIENTS[timed_pass]
            found = {"x": x, "weight": weight}[name]
            shape, dtype = found.shape, found.dtype
        elif timed_pass == "training_step":
            group, name, shape, dtype = "outputs", "loss", (), x.dtype
        else:
            group, name = "outputs", _NAMES.get(case.operation, "y")
            shape, dtype = shape(x.shape, None if weight is None else weight.shape, keywords(case)), x.dtype
        if any(n < 1 for n in shape):
            raise Unsupported(f"{case.operation} to {shape}")

        if layout == "native" and len(shape) == 4:
            return Prepared(lambda inputs, upstream: _native(inputs, upstream, shape, dtype, group, name), "nothing")

        def bind(inputs, upstream):
            buffer = marked(shape, dtype)
            return Run(lambda: None, lambda _: {group: {name: buffer}}, buffers=(buffer,))

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
