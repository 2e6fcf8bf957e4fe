"""Group and layer normalisation a second time: both are rows, each normalised by its own mean and variance."""
import numpy as np

from running_error import Running, widest


def spread_over(tensor, shape):
    return tensor.map(lambda t: np.broadcast_to(t, shape))


def normalise_rows(x, eps, weight, bias, dy, rows):
    """y, dx and the terms of dweight. `weight` and `bias` have x's shape or are None; a row is x.reshape(rows)[i]."""
    shape, count = x.shape, float(rows[1])
    x = x.reshape(*rows)

    def mean_of(tensor):
        return tensor.sum(axis=1, keepdims=True) / count

    mean = mean_of(x)
    centred = x - mean
    inverse = Running.leaf(1.0) / (mean_of(centred * centred) + eps).sqrt()
    normal = centred * inverse
    # PyTorch folds the layer into a slope and a shift, which cancel where x is near the mean.
    y, slope, shift = normal, inverse, -(mean * inverse)
    if weight is not None:
        y, slope = y * weight.reshape(*rows), inverse * weight.reshape(*rows)
        shift = -(mean * slope)
    if bias is not None:
        y, shift = y + bias.reshape(*rows), shift + bias.reshape(*rows)
    y = widest(y, x * slope + shift).reshape(*shape)
    if dy is None:
        return y, None, None
    dy = dy.reshape(*rows)
    inner = dy if weight is None else dy * weight.reshape(*rows)
    dx = (inner - mean_of(inner) - normal * mean_of(inner * normal)) * inverse
    # Its backward pass likewise, from Σ g·x and Σ g of the row.
    through_x, through_one = (inner * x).sum(axis=1, keepdims=True), inner.sum(axis=1, keepdims=True)
    per_x = (through_one * mean - through_x) * inverse * inverse * inverse / count
    per_one = -(per_x * mean) - through_one * inverse / count
    dx = widest(dx, inner * inverse + x * per_x + per_one)
    terms = widest(dy * normal, (dy * x - dy * mean) * inverse)
    return y, dx.reshape(*shape), terms.reshape(*shape)


def normalised(t, a, upstream, rows, parameter_shape, summed):
    """`summed` are the axes over which the parameters, in `parameter_shape`, are shared."""
    x, dy = t["x"], upstream.get("y")
    weight, bias = (spread_over(t[key].reshape(*parameter_shape), x.shape) if key in t else None
                    for key in ("weight", "bias"))
    y, dx, terms = normalise_rows(x, a.get("eps", 1e-5), weight, bias, dy, rows)
    if dy is None:
        return {"y": y}, {}, {}
    gradients = {"x": dx}
    if "weight" in t:
        gradients["weight"] = terms.sum(axis=summed)
    if "bias" in t:
        gradients["bias"] = dy.sum(axis=summed)
    return {"y": y}, {}, gradients


def group_norm(t, a, upstream):
    batch, channels, *spatial = t["x"].shape
    groups = int(a["num_groups"])
    rows = (batch * groups, channels // groups * int(np.prod(spatial)))
    axes = (0, *range(2, 2 + len(spatial)))
    return normalised(t, a, upstream, rows, (1, channels, *(1 for _ in spatial)), axes)


def layer_norm(t, a, upstream):
    shape, dims = t["x"].shape, int(a["normalized_dims"])
    leading, trailing = shape[:-dims], shape[-dims:]
    rows = (int(np.prod(leading)), int(np.prod(trailing)))
    return normalised(t, a, upstream, rows, trailing, tuple(range(len(leading))))
