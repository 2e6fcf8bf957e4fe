"""Every operation a second time: plain definitions in NumPy float64, gradients written out by hand.

Nothing here imports PyTorch. Each function takes the case's tensors as `Running` values, its attributes, and the
cotangents, and returns outputs, buffers afterwards and gradients, each with a bound on its own rounding error.
"""
import numpy as np

from running_error import Running, least_unit, where
from second_opinion_activations import gelu, silu
from second_opinion_losses import cross_entropy, log_softmax, softmax
from second_opinion_norms import group_norm, layer_norm
from second_opinion_optimizers import adam_step, adamw_step, sgd_step
from second_opinion_pooling import (
    accumulate, adaptive_avg_pool2d, avg_pool2d, max_pool2d, pair, upsample2d, zeros)


def padded(x, pads, fill=0.0):
    (top, bottom), (left, right) = pads
    width = ((0, 0), (0, 0), (top, bottom), (left, right))
    return Running(np.pad(x.v, width, constant_values=fill), np.pad(x.e, width), np.pad(x.a, width), x.q)


def taps(kernel, stride, dilation, out):
    """For each kernel position the slice of the padded input that it meets, output by output."""
    for r in range(kernel[0]):
        for s in range(kernel[1]):
            top, left = r * dilation[0], s * dilation[1]
            yield r, s, (slice(None), slice(None),
                         slice(top, top + stride[0] * (out[0] - 1) + 1, stride[0]),
                         slice(left, left + stride[1] * (out[1] - 1) + 1, stride[1]))


def conv2d(t, a, upstream):
    x, w, bias = t["x"], t["weight"], t.get("bias")
    stride, dilation, groups = pair(a.get("stride", 1)), pair(a.get("dilation", 1)), int(a.get("groups", 1))
    kernel = w.shape[2:]
    reach = [dilation[i] * (kernel[i] - 1) for i in (0, 1)]
    padding = a.get("padding", 0)
    if padding == "same":
        pads = [(n // 2, n - n // 2) for n in reach]
    else:
        p = pair(0 if padding == "valid" else padding)
        pads = [(p[0], p[0]), (p[1], p[1])]
    out = [(x.shape[2 + i] + sum(pads[i]) - reach[i] - 1) // stride[i] + 1 for i in (0, 1)]
    n, c, k = x.shape[0], x.shape[1] // groups, w.shape[0] // groups
    xp = padded(x, pads)
    wg = w.reshape(groups, k, c, *kernel)
    y = zeros((n, groups, k, *out))
    windows = {}
    for r, s, window in taps(kernel, stride, dilation, out):
        windows[r, s] = xp[window].reshape(n, groups, c, *out)
        y = y + Running.contract("ngcpq,gkc->ngkpq", windows[r, s], wg[..., r, s])
    y = y.reshape(n, groups * k, *out)
    if bias is not None:
        y = y + bias.reshape(1, -1, 1, 1)
    gradients = {}
    if "y" in upstream:
        dy = upstream["y"]
        v = dy.reshape(n, groups, k, *out)
        dxp, dw = zeros(xp.shape), zeros(wg.shape)
        for r, s, window in taps(kernel, stride, dilation, out):
            back = Running.contract("ngkpq,gkc->ngcpq", v, wg[..., r, s])
            accumulate(dxp, window, back.reshape(n, groups * c, *out))
            accumulate(dw, (..., r, s), Running.contract("ngkpq,ngcpq->gkc", v, windows[r, s]))
        (top, _), (left, _) = pads
        gradients["x"] = dxp[:, :, top:top + x.shape[2], left:left + x.shape[3]]
        gradients["weight"] = dw.reshape(*w.shape)
        if bias is not None:
            gradients["bias"] = dy.sum(axis=(0, 2, 3))
    return {"y": y}, {}, gradients


def conv_transpose2d(t, a, upstream):
    """Each pixel of x adds its multiple of the kernel to a canvas, from whose sides `padding` is cut off."""
    x, w, bias = t["x"], t["weight"], t.get("bias")
    stride, dilation, padding, extra = (
        pair(a.get(key, default)) for key, default in
        (("stride", 1), ("dilation", 1), ("padding", 0), ("output_padding", 0)))
    groups, size, kernel = int(a.get("groups", 1)), x.shape[2:], w.shape[2:]
    n, c, k = x.shape[0], x.shape[1] // groups, w.shape[1]
    out = [stride[i] * (size[i] - 1) + dilation[i] * (kernel[i] - 1) + 1 + extra[i] - 2 * padding[i] for i in (0, 1)]
    canvas = (n, groups * k, *(out[i] + 2 * padding[i] for i in (0, 1)))
    inside = (slice(None), slice(None), *(slice(padding[i], padding[i] + out[i]) for i in (0, 1)))
    xg, wg = x.reshape(n, groups, c, *size), w.reshape(groups, c, k, *kernel)
    spread = zeros(canvas)
    for r, s, pixels in taps(kernel, stride, dilation, size):
        terms = Running.contract("ngchw,gck->ngkhw", xg, wg[..., r, s])
        accumulate(spread, pixels, terms.reshape(n, groups * k, *size))
    y = spread[inside]
    if bias is not None:
        y = y + bias.reshape(1, -1, 1, 1)
    gradients = {}
    if "y" in upstream:
        dy = upstream["y"]
        # What was cut off has a cotangent of zero, which takes part.
        around = zeros(canvas)
        accumulate(around, inside, dy)
        dx, dw = zeros(xg.shape), zeros(wg.shape)
        for r, s, pixels in taps(kernel, stride, dilation, size):
            met = around[pixels].reshape(n, groups, k, *size)
            dx = dx + Running.contract("ngkhw,gck->ngchw", met, wg[..., r, s])
            accumulate(dw, (..., r, s), Running.contract("ngchw,ngkhw->gck", xg, met))
        gradients["x"], gradients["weight"] = dx.reshape(*x.shape), dw.reshape(*w.shape)
        if bias is not None:
            gradients["bias"] = dy.sum(axis=(0, 2, 3))
    return {"y": y}, {}, gradients


def batch_norm2d(t, a, upstream):
    x, gamma, beta = t["x"], t.get("weight"), t.get("bias")
    training, eps, momentum = bool(a.get("training", False)), a.get("eps", 1e-5), a.get("momentum", 0.1)
    axes = (0, 2, 3)
    count = x.shape[0] * x.shape[2] * x.shape[3]
    from_batch = training or "running_mean" not in t
    after = {key: t[key] for key in ("running_mean", "running_var", "num_batches_tracked") if key in t}
    if from_batch:
        mean = x.sum(axis=axes) / float(count)
        centred = x - mean.reshape(1, -1, 1, 1)
        squares = (centred * centred).sum(axis=axes)
        variance = squares / float(count)
    else:
        mean, variance = t["running_mean"], t["running_var"]
        centred = x - mean.reshape(1, -1, 1, 1)
    if training and "running_mean" in t:
        batches = None
        if "num_batches_tracked" in t:
            batches = t["num_batches_tracked"] + 1.0
            after["num_batches_tracked"] = batches
        share = Running.leaf(1.0) / batches if np.isnan(momentum) else Running.leaf(momentum)
        rest = Running.leaf(1.0) - share
        unbiased = squares / float(count - 1)
        after["running_mean"] = rest * t["running_mean"] + share * mean
        after["running_var"] = rest * t["running_var"] + share * unbiased
    inverse = Running.leaf(1.0) / (variance + eps).sqrt()
    normal = centred * inverse.reshape(1, -1, 1, 1)
    y, slope, shift = normal, inverse, -(mean * inverse)
    if gamma is not None:
        y = y * gamma.reshape(1, -1, 1, 1) + beta.reshape(1, -1, 1, 1)
        slope = inverse * gamma
        shift = beta - mean * slope
    # PyTorch folds the layer into slope and shift, which cancel where x is near the mean; its bound is the wider.
    folded = x * slope.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)
    y = Running(y.v, np.maximum(y.e, folded.e), np.maximum(y.a, folded.a), least_unit(y.q, folded.q))
    gradients = {}
    if "y" in upstream:
        dy = upstream["y"]
        scale = inverse if gamma is None else inverse * gamma
        d_gamma, d_beta = (dy * normal).sum(axis=axes), dy.sum(axis=axes)
        inner = dy
        if from_batch:
            through_mean = (d_beta / float(count)).reshape(1, -1, 1, 1)
            through_variance = (d_gamma / float(count)).reshape(1, -1, 1, 1)
            inner = dy - through_mean - normal * through_variance
        gradients["x"] = inner * scale.reshape(1, -1, 1, 1)
        if gamma is not None:
            gradients["weight"], gradients["bias"] = d_gamma, d_beta
    return {"y": y}, after, gradients


def relu(t, a, upstream):
    x = t["x"]
    y = where(x.v <= 0, 0.0, x)
    # PyTorch's convention: nothing at zero, and a NaN input lets its cotangent through (see ../README.md).
    gradients = {"x": where(x.v <= 0, 0.0, upstream["y"])} if "y" in upstream else {}
    return {"y": y}, {}, gradients


def same(t, a, upstream):
    return {"y": t["x"]}, {}, {"x": upstream["y"]} if "y" in upstream else {}


def flatten(t, a, upstream):
    x = t["x"]
    rest = int(np.prod(x.shape[1:]))
    y = x.reshape(x.shape[0], rest)
    return {"y": y}, {}, {"x": upstream["y"].reshape(*x.shape)} if "y" in upstream else {}


def add(t, a, upstream):
    gradients = {"x": upstream["y"], "other": upstream["y"]} if "y" in upstream else {}
    return {"y": t["x"] + t["other"]}, {}, gradients


def scaled_add(t, a, upstream):
    alpha = a.get("alpha", 1.0)
    gradients = {"x": upstream["y"], "other": upstream["y"] * alpha} if "y" in upstream else {}
    return {"y": t["x"] + t["other"] * alpha}, {}, gradients


def linear(t, a, upstream):
    x, w, bias = t["x"], t["weight"], t.get("bias")
    y = Running.contract("ni,oi->no", x, w)
    if bias is not None:
        y = y + bias.reshape(1, -1)
    gradients = {}
    if "y" in upstream:
        dy = upstream["y"]
        gradients["x"] = Running.contract("no,oi->ni", dy, w)
        gradients["weight"] = Running.contract("no,ni->oi", dy, x)
        if bias is not None:
            gradients["bias"] = dy.sum(axis=0)
    return {"y": y}, {}, gradients


OPERATIONS = {
    "conv2d": conv2d, "conv_transpose2d": conv_transpose2d, "batch_norm2d": batch_norm2d, "relu": relu,
    "identity": same, "dropout": same, "flatten": flatten, "add": add, "linear": linear,
    "softmax": softmax, "log_softmax": log_softmax,
    "cross_entropy": cross_entropy, "max_pool2d": max_pool2d, "avg_pool2d": avg_pool2d,
    "adaptive_avg_pool2d": adaptive_avg_pool2d, "upsample2d": upsample2d,
    "group_norm": group_norm, "layer_norm": layer_norm, "gelu": gelu, "silu": silu, "scaled_add": scaled_add,
    "sgd_step": sgd_step, "adam_step": adam_step, "adamw_step": adamw_step,
}


def evaluate(operation, tensors, attributes, upstream):
    with np.errstate(all="ignore"):
        return OPERATIONS[operation](tensors, attributes, upstream)
