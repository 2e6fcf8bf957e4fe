"""Pooling and upsampling a second time, window by window."""
from fractions import Fraction
from math import ceil, floor

import numpy as np

from running_error import Running, U


def pair(value):
    return (int(value[0]), int(value[1])) if np.ndim(value) else (int(value), int(value))


def zeros(shape):
    return Running.leaf(np.zeros(shape), exact=True)


def accumulate(target, key, value):
    """target[key] += value, in place; no element of target may occur twice in the key."""
    total = target[key] + value
    target.v[key], target.e[key], target.a[key] = total.v, total.e, total.a
    target.q = total.q


def geometry(t, a):
    kernel = pair(a["kernel_size"])
    stride, padding = pair(a.get("stride", a["kernel_size"])), pair(a.get("padding", 0))
    dilation = pair(a.get("dilation", 1))
    out = []
    for i in (0, 1):
        size = t["x"].shape[2 + i]
        room = Fraction(size + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1, stride[i])
        count = (ceil(room) if a.get("ceil_mode") else floor(room)) + 1
        # With ceil_mode a last window that would start beyond the input and its left padding is left out.
        if a.get("ceil_mode") and (count - 1) * stride[i] >= size + padding[i]:
            count -= 1
        out.append(count)
    return kernel, stride, padding, dilation, out


def max_pool2d(t, a, upstream):
    x = t["x"]
    kernel, stride, padding, dilation, out = geometry(t, a)
    n, c, height, width = x.shape
    y, indices = zeros((n, c, *out)), np.zeros((n, c, *out), dtype=np.int64)
    dx = zeros(x.shape)
    for p in range(out[0]):
        for q in range(out[1]):
            rows = [h for h in (p * stride[0] - padding[0] + r * dilation[0] for r in range(kernel[0])) if 0 <= h < height]
            columns = [w for w in (q * stride[1] - padding[1] + s * dilation[1] for s in range(kernel[1])) if 0 <= w < width]
            window = x.v[:, :, rows][:, :, :, columns].reshape(n, c, len(rows) * len(columns))
            # argmax takes the first of equals and a NaN before anything else.
            best = window.argmax(axis=2)
            h, w = np.array(rows)[best // len(columns)], np.array(columns)[best % len(columns)]
            indices[:, :, p, q] = h * width + w
            image, channel = np.arange(n)[:, None], np.arange(c)[None, :]
            accumulate(y, (slice(None), slice(None), p, q), x[image, channel, h, w])
            if "y" in upstream:
                accumulate(dx, (image, channel, h, w), upstream["y"][:, :, p, q])
    return {"y": y, "indices": indices}, {}, {"x": dx} if "y" in upstream else {}


def average(x, windows, divisors, out, upstream):
    """Means over rectangles; `windows[p][q]` are row and column slices."""
    y, dx = zeros((*x.shape[:2], *out)), zeros(x.shape)
    for p in range(out[0]):
        for q in range(out[1]):
            key = (slice(None), slice(None), *windows[p, q])
            accumulate(y, (slice(None), slice(None), p, q), x[key].sum(axis=(2, 3)) / float(divisors[p, q]))
            if "y" in upstream:
                share = upstream["y"][:, :, p:p + 1, q:q + 1] / float(divisors[p, q])
                accumulate(dx, key, share)
    return {"y": y}, {}, {"x": dx} if "y" in upstream else {}


def avg_pool2d(t, a, upstream):
    kernel, stride, padding, _, out = geometry(t, a)
    size = t["x"].shape[2:]
    windows, divisors = {}, {}
    for p in range(out[0]):
        for q in range(out[1]):
            start = [position * stride[i] - padding[i] for i, position in enumerate((p, q))]
            end = [min(start[i] + kernel[i], size[i] + padding[i]) for i in (0, 1)]
            inside = [slice(max(start[i], 0), min(end[i], size[i])) for i in (0, 1)]
            if a.get("divisor_override") is not None:
                divisor = a["divisor_override"]
            elif a.get("count_include_pad", True):
                divisor = (end[0] - start[0]) * (end[1] - start[1])
            else:
                divisor = (inside[0].stop - inside[0].start) * (inside[1].stop - inside[1].start)
            windows[p, q], divisors[p, q] = inside, divisor
    return average(t["x"], windows, divisors, out, upstream)


def adaptive_avg_pool2d(t, a, upstream):
    out, size = pair(a["output_size"]), t["x"].shape[2:]
    windows, divisors = {}, {}
    for p in range(out[0]):
        for q in range(out[1]):
            inside = [slice(floor(Fraction(position * size[i], out[i])), ceil(Fraction((position + 1) * size[i], out[i])))
                      for i, position in enumerate((p, q))]
            windows[p, q] = inside
            divisors[p, q] = (inside[0].stop - inside[0].start) * (inside[1].stop - inside[1].start)
    return average(t["x"], windows, divisors, out, upstream)


def upsample2d(t, a, upstream):
    x = t["x"]
    size = x.shape[2:]
    if "size" in a:
        out = pair(a["size"])
        steps = [Fraction(size[i], out[i]) for i in (0, 1)]
    else:
        factors = [Fraction(float(f)) for f in np.broadcast_to(a["scale_factor"], 2)]
        out = tuple(floor(size[i] * factors[i]) for i in (0, 1))
        steps = [1 / factor for factor in factors]
    bilinear, corners = a.get("mode", "nearest") == "bilinear", bool(a.get("align_corners", False))
    if bilinear and corners:
        steps = [Fraction(size[i] - 1, out[i] - 1) if out[i] > 1 else Fraction(0) for i in (0, 1)]
    rows, columns = (list(_sources(out[i], size[i], steps[i], bilinear, corners)) for i in (0, 1))
    y, dx = zeros((*x.shape[:2], *out)), zeros(x.shape)
    for p, from_rows in enumerate(rows):
        for q, from_columns in enumerate(columns):
            here = (slice(None), slice(None), p, q)
            for h, row_weight in from_rows:
                for w, column_weight in from_columns:
                    weight = row_weight * column_weight
                    accumulate(y, here, x[:, :, h, w] * weight)
                    if "y" in upstream:
                        accumulate(dx, (slice(None), slice(None), h, w), upstream["y"][here] * weight)
    return {"y": y}, {}, {"x": dx} if "y" in upstream else {}


def _sources(out, size, step, bilinear, corners):
    """For each output position the input positions that it takes from, with their weights."""
    for position in range(out):
        if out == size:
            # Copied, whatever the factor.
            yield [(position, Running.leaf(1.0))]
            continue
        if not bilinear:
            # The step and the coordinate are float32; an exact doubling is by whole numbers.
            source = position // 2 if out == 2 * size else floor(np.float32(position) * np.float32(float(step)))
            yield [(min(source, size - 1), Running.leaf(1.0))]
            continue
        source = position * step if corners else max((position + Fraction(1, 2)) * step - Fraction(1, 2), Fraction(0))
        first = min(floor(source), size - 1)
        share = float(source - first) if first < size - 1 else 0.0
        # The position is rounded relative to itself, its fraction therefore by up to 4 u of the position.
        error = np.array(4 * U * max(1.0, float(source)))
        weights = [Running(np.array(v), error, None, Running.leaf(v).q) for v in (1 - share, share)]
        yield list(zip((first, min(first + 1, size - 1)), weights))
