"""Softmax, log-softmax and cross-entropy a second time."""
import numpy as np

from running_error import Running, where


def shifted(x):
    """x minus its largest element along axis 1; no result depends on the shift."""
    return x - Running.leaf(x.v.max(axis=1, keepdims=True))


def softmax_of(x):
    powers = shifted(x).exp()
    return powers / powers.sum(axis=1, keepdims=True)


def log_softmax_of(x):
    lowered = shifted(x)
    return lowered - lowered.exp().sum(axis=1, keepdims=True).log()


def softmax(t, a, upstream):
    y = softmax_of(t["x"])
    gradients = {}
    if "y" in upstream:
        dy = upstream["y"]
        gradients["x"] = y * dy - y * (dy * y).sum(axis=1, keepdims=True)
    return {"y": y}, {}, gradients


def log_softmax(t, a, upstream):
    gradients = {}
    if "y" in upstream:
        dy = upstream["y"]
        gradients["x"] = dy - softmax_of(t["x"]) * dy.sum(axis=1, keepdims=True)
    return {"y": log_softmax_of(t["x"])}, {}, gradients


def cross_entropy(t, a, upstream):
    """Σ_c a[n,c]·(−log p[n,c]): targets, class weights, smoothing and ignored rows all go into the coefficients a."""
    x, target = t["x"], t["target"]
    rows, classes = x.shape
    smoothing, reduction = a.get("label_smoothing", 0.0), a.get("reduction", "mean")
    weight = t["weight"] if "weight" in t else Running.leaf(np.ones(classes))
    uniform = Running.leaf(smoothing) / float(classes)
    if isinstance(target, Running):
        share = target * (1 - smoothing) + uniform if smoothing else target
        coefficients = share * weight.reshape(1, -1)
        kept = np.ones(rows, dtype=bool)
        denominator = Running.leaf(float(rows))
    else:
        kept = target != a.get("ignore_index", -100)
        chosen = np.zeros((rows, classes))
        chosen[kept, target[kept]] = 1.0
        share = Running.leaf(chosen) * (1 - smoothing) + uniform if smoothing else Running.leaf(chosen)
        coefficients = share * weight.reshape(1, -1)
        denominator = weight[target[kept]].sum()
    # Without smoothing a class that is not the target takes no part, even where its logarithm is infinite.
    coefficients = where((coefficients.v == 0) | ~kept[:, None], 0.0, coefficients)
    cost = where(coefficients.v == 0, 0.0, -(coefficients * log_softmax_of(x))).sum(axis=1)
    loss = cost if reduction == "none" else cost.sum()
    if reduction == "mean":
        loss = loss / denominator
    gradients = {}
    if "loss" in upstream:
        upper = upstream["loss"].reshape(-1, 1) if reduction == "none" else upstream["loss"].reshape(1, 1)
        if reduction == "mean":
            upper = upper / denominator
        total = coefficients.sum(axis=1, keepdims=True)
        dx = (softmax_of(x) * total - coefficients) * upper
        gradients["x"] = where(~kept[:, None], 0.0, dx)
    return {"loss": loss}, {}, gradients
