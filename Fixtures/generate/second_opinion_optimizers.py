"""SGD, Adam and AdamW a second time, step by step from their papers' formulae."""
import numpy as np

from running_error import Running


def _stack(steps):
    return Running(np.stack([p.v for p in steps]), np.stack([p.e for p in steps]))


def sgd_step(t, a, upstream):
    p, lr, momentum = t["p"], a["lr"], a.get("momentum", 0.0)
    trajectory, velocity = [], None
    for step in range(t["gradients"].shape[0]):
        g = t["gradients"][step]
        if a.get("weight_decay", 0.0):
            g = g + p * a["weight_decay"]
        if momentum:
            velocity = g if velocity is None else velocity * momentum + g * (1 - a.get("dampening", 0.0))
            g = g + velocity * momentum if a.get("nesterov") else velocity
        p = p - g * lr
        trajectory.append(p)
    outputs = {"trajectory": _stack(trajectory)}
    if momentum:
        outputs["momentum_buffer"] = velocity
    return outputs, {}, {}


def _adam(t, a, decay, decoupled):
    p, lr, eps = t["p"], a.get("lr", 1e-3), a.get("eps", 1e-8)
    beta1, beta2 = (float(b) for b in a.get("betas", (0.9, 0.999)))
    zero = Running.leaf(np.zeros(p.shape))
    mean, square = t.get("exp_avg", zero), t.get("exp_avg_sq", zero)
    largest = t.get("max_exp_avg_sq", zero)
    trajectory = []
    for i in range(t["gradients"].shape[0]):
        step, g = a.get("first_step", 1) + i, t["gradients"][i]
        if decay and decoupled:
            p = p * Running.leaf(1 - lr * decay)
        elif decay:
            g = g + p * decay
        mean = mean * beta1 + g * (1 - beta1)
        square = square * beta2 + (g * g) * (1 - beta2)
        second = square
        if a.get("amsgrad"):
            greater = np.where(np.isnan(square.v), square.v, np.maximum(largest.v, square.v))
            largest = Running(greater, np.maximum(largest.e, square.e))
            second = largest
        # Powers and their difference from one are within a few roundings of one.
        corrected = mean / _correction(beta1, step)
        root = (second / _correction(beta2, step)).sqrt()
        p = p - corrected * lr / (root + eps)
        trajectory.append(p)
    return {"trajectory": _stack(trajectory), "exp_avg": mean, "exp_avg_sq": square}, {}, {}


def _correction(beta, step):
    return Running(np.array(1 - beta**step), np.array(4 * 2.0**-53))


def adam_step(t, a, upstream):
    return _adam(t, a, a.get("weight_decay", 0.0), decoupled=False)


def adamw_step(t, a, upstream):
    return _adam(t, a, a.get("weight_decay", 0.01), decoupled=True)
