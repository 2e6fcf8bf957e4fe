"""Which problems have no result: what Fixtures/FORMAT.md has refused, before a function sees it.

A kernel is written for problems that make sense. Those of the layers that do not are refused here, by the category that
the format gives them, so that a decorated function, or an engine that calls `require_sound`, need not.
"""

import math

import numpy as np

from .attributes import keywords
from .refusals import Refused


def _require(condition, category, message):
    if not condition:
        raise Refused(category, message)


def _shape(condition, message):
    _require(condition, "shape_mismatch", message)


def _argument(condition, message):
    _require(condition, "invalid_argument", message)


def _floats(case, *names):
    for name in names:
        array = _tensors(case).get(name)
        if array is not None and array.dtype == np.int64:
            raise Refused("unsupported_dtype", f"{name}: expected floats, found integers")


def _tensors(case):
    return {**case.inputs, **case.parameters, **case.buffers}


def _rank(case, name, *ranks):
    shape = _tensors(case)[name].shape
    _shape(len(shape) in ranks, f"{name}: expected {' or '.join(map(str, ranks))} axes, found {shape}")
    return shape


def _has_shape(case, shape, *names):
    for name in names:
        found = np.shape(_tensors(case).get(name, np.empty(shape)))
        _shape(found == tuple(shape), f"{name}: expected {tuple(shape)}, found {found}")


def _positive(a, *names):
    for name in names:
        _argument(min(a[name]) >= 1, f"{name}: expected 1 or more, found {a[name]}")


def _divides(groups, channels):
    _argument(groups >= 1 and channels % groups == 0, f"groups: {groups} do not divide {channels} channels")


def _output(extents):
    _shape(min(extents) >= 1, f"expected an output of 1×1 or more, found {extents[0]}×{extents[1]}")


def _sides(shape, kernel, a):
    return list(zip(shape[2:], kernel, a["stride"], a["padding"], a["dilation"]))


def _conv2d(case, a):
    x, weight = _rank(case, "x", 4), _rank(case, "weight", 4)
    _positive(a, "stride", "dilation")
    for channels in (x[1], weight[0]):
        _divides(a["groups"], channels)
    _shape(weight[1] * a["groups"] == x[1], f"weight {weight} in {a['groups']} groups does not fit x {x}")
    _has_shape(case, weight[:1], "bias")
    if isinstance(a["padding"], str):
        _argument(a["padding"] in ("same", "valid"), f"padding: expected same or valid, found {a['padding']}")
        _argument(a["padding"] == "valid" or a["stride"] == (1, 1), f"padding same with stride {a['stride']}")
        if a["padding"] == "same":
            return
        a = a | {"padding": (0, 0)}
    _argument(min(a["padding"]) >= 0, f"padding: expected 0 or more, found {a['padding']}")
    _output([(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in _sides(x, weight[2:], a)])


def _conv_transpose2d(case, a):
    x, weight = _rank(case, "x", 4), _rank(case, "weight", 4)
    _positive(a, "stride", "dilation")
    _divides(a["groups"], weight[0])
    _shape(x[1] == weight[0], f"weight {weight} does not fit x {x}")
    _has_shape(case, (weight[1] * a["groups"],), "bias")
    extra = a["output_padding"]
    for name in ("padding", "output_padding"):
        _argument(min(a[name]) >= 0, f"{name}: expected 0 or more, found {a[name]}")
    _argument(
        all(e < max(s, d) for e, s, d in zip(extra, a["stride"], a["dilation"])),
        f"output_padding: expected less than the stride or the dilation, found {extra}")
    _output([
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1 for (n, k, s, p, d), e in zip(_sides(x, weight[2:], a), extra)])


def _pool(case, a):
    x, kernel, padding = _rank(case, "x", 4), a["kernel_size"], a["padding"]
    a = {"dilation": (1, 1)} | a
    _positive(a, "kernel_size", "stride", "dilation")
    _argument(
        min(padding) >= 0 and all(2 * p <= k for p, k in zip(padding, kernel)),
        f"padding: expected 0 to half the kernel {kernel}, found {padding}")
    _argument(a.get("divisor_override") != 0, "divisor_override: expected another number than 0")
    _output([
        (n + 2 * p - d * (k - 1) - 1 + a["ceil_mode"] * (s - 1)) // s + 1 for n, k, s, p, d in _sides(x, kernel, a)])


def _adaptive_avg_pool2d(case, a):
    _rank(case, "x", 4)
    _argument(min(a["output_size"]) >= 1, f"output_size: expected 1 or more, found {a['output_size']}")


def _upsample2d(case, a):
    x, size, factor = _rank(case, "x", 4), a["size"], a["scale_factor"]
    _argument(a["mode"] in ("nearest", "bilinear"), f"mode: expected nearest or bilinear, found {a['mode']}")
    _argument((size is None) != (factor is None), f"expected a size or a scale_factor, found {size} and {factor}")
    _argument(a["mode"] == "bilinear" or not a["align_corners"], "align_corners: nothing is interpolated")
    if factor is not None:
        _argument(all(0 < f < math.inf for f in factor), f"scale_factor: expected more than 0, found {factor}")
    found = size or [math.floor(n * f) for n, f in zip(x[2:], factor)]
    _argument(min(found) >= 1, f"expected an output of 1×1 or more, found {found[0]}×{found[1]}")


def _linear(case, a):
    x, weight = _rank(case, "x", 2), _rank(case, "weight", 2)
    _shape(x[1] == weight[1], f"weight {weight} does not fit x {x}")
    _has_shape(case, weight[:1], "bias")


def _eps(a):
    _argument(0 <= a["eps"] < math.inf, f"eps: expected a finite number of 0 or more, found {a['eps']}")


def _batch_norm2d(case, a):
    _eps(a)
    x = _rank(case, "x", 4)
    _has_shape(case, x[1:2], "weight", "bias", "running_mean", "running_var")
    if a["training"]:
        _shape(x[0] * x[2] * x[3] != 1, f"x {x}: expected more than one value a channel in training")


def _group_norm(case, a):
    _eps(a)
    x = case.inputs["x"].shape
    _shape(len(x) >= 2, f"x: expected 2 axes or more, found {x}")
    _divides(a["num_groups"], x[1])
    _has_shape(case, x[1:2], "weight", "bias")


def _layer_norm(case, a):
    _eps(a)
    x, dims = case.inputs["x"].shape, a["normalized_dims"]
    _argument(dims >= 1, f"normalized_dims: expected 1 or more, found {dims}")
    _shape(dims <= len(x), f"normalized_dims: expected at most the axes of x {x}, found {dims}")
    _has_shape(case, x[-dims:], "weight", "bias")


def _cross_entropy(case, a):
    x, target = _rank(case, "x", 2), case.inputs["target"]
    _has_shape(case, x[1:], "weight")
    reduction, smoothing = a["reduction"], a["label_smoothing"]
    _argument(reduction in ("none", "mean", "sum"), f"reduction: expected none, mean or sum, found {reduction}")
    _argument(0 <= smoothing <= 1, f"label_smoothing: expected 0 to 1, found {smoothing}")
    kind = (target.ndim, target.dtype == np.int64)
    _require(
        kind not in ((1, False), (2, True)), "unsupported_dtype",
        f"target: expected indices or probabilities, found {target.dtype} of shape {target.shape}")
    _has_shape(case, x[:1] if target.ndim == 1 else x, "target")
    if target.ndim == 1:
        wrong = (target != a["ignore_index"]) & ((target < 0) | (target >= x[1]))
        _require(not wrong.any(), "index_out_of_range", f"target: expected 0 to {x[1] - 1}, found {target[wrong][:1]}")


def _gelu(case, a):
    form = a["approximate"]
    _argument(form in ("none", "tanh"), f"approximate: expected none or tanh, found {form!r}")


def _like_x(case, a):
    _has_shape(case, case.inputs["x"].shape, "other")


def _along_axis_1(case, a):
    shape = case.inputs["x"].shape
    _shape(len(shape) >= 2, f"x: expected 2 axes or more, found {shape}")


_CHECKS = {
    "conv2d": _conv2d, "conv_transpose2d": _conv_transpose2d, "max_pool2d": _pool, "avg_pool2d": _pool,
    "adaptive_avg_pool2d": _adaptive_avg_pool2d, "upsample2d": _upsample2d, "linear": _linear,
    "batch_norm2d": _batch_norm2d, "group_norm": _group_norm, "layer_norm": _layer_norm,
    "cross_entropy": _cross_entropy, "gelu": _gelu, "add": _like_x, "scaled_add": _like_x, "softmax": _along_axis_1,
    "log_softmax": _along_axis_1, "flatten": _along_axis_1,
    **{name: lambda case, a: None for name in ("relu", "silu", "identity", "dropout")},
}


def require_sound(case):
    """Raises Refused for a layer's problem that has no result. Networks, blocks and optimisers are not looked at."""
    if case.operation in _CHECKS:
        _floats(case, "x", "other", "weight", "bias")
        _CHECKS[case.operation](case, keywords(case))
