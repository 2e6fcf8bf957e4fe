"""SGD, Adam and AdamW a second time, step by step from their papers' formulae.

Each class updates one parameter, given as a `Running` value or as a plain array.
"""
import numpy as np

from running_error import U, Running


class Sgd:
    def __init__(self, a):
        self.a, self.velocity = a, None

    def update(self, p, g):
        momentum, decay = self.a.get("momentum", 0.0), self.a.get("weight_decay", 0.0)
        if decay:
            g = g + p * decay
        if momentum:
            first = self.velocity is None
            self.velocity = g if first else self.velocity * momentum + g * (1 - self.a.get("dampening", 0.0))
            g = g + self.velocity * momentum if self.a.get("nesterov") else self.velocity
        return p - g * self.a["lr"]


class Adam:
    def __init__(self, a, decoupled, before=None):
        self.a, self.decoupled = a, decoupled
        self.step = a.get("first_step", 1) - 1
        self.mean, self.square, self.largest = (
            (before or {}).get(key, 0.0) for key in ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"))

    def update(self, p, g):
        lr, eps = self.a.get("lr", 1e-3), self.a.get("eps", 1e-8)
        decay = self.a.get("weight_decay", 0.01 if self.decoupled else 0.0)
        beta1, beta2 = (float(b) for b in self.a.get("betas", (0.9, 0.999)))
        self.step += 1
        if decay and self.decoupled:
            p = p * (1 - lr * decay)
        elif decay:
            g = g + p * decay
        self.mean = g * (1 - beta1) + self.mean * beta1
        self.square = (g * g) * (1 - beta2) + self.square * beta2
        second = self.square
        if self.a.get("amsgrad"):
            second = self.largest = _greater(self.largest, self.square)
        corrected = self.mean / _correction(beta1, self.step, p)
        return p - corrected * lr / (_root(second / _correction(beta2, self.step, p)) + eps)


def _correction(beta, step, p):
    """1 − βᵗ; the power and the difference are within a few roundings of one."""
    value = 1 - beta**step
    return Running(np.array(value), np.array(4 * U)) if isinstance(p, Running) else value


def _root(value):
    return value.sqrt() if isinstance(value, Running) else np.sqrt(value)


def _greater(first, second):
    if not isinstance(second, Running):
        return np.maximum(first, second)
    first = first if isinstance(first, Running) else Running(np.full(second.shape, first))
    return Running(np.maximum(first.v, second.v), np.maximum(first.e, second.e))


def make(kind, a, before=None):
    return Sgd(a) if kind == "sgd" else Adam(a, decoupled=kind == "adamw", before=before)


def _trajectory(kind, t, a):
    rule, p, steps = make(kind, a, t), t["p"], []
    for i in range(t["gradients"].shape[0]):
        p = rule.update(p, t["gradients"][i])
        steps.append(p)
    return rule, Running(np.stack([p.v for p in steps]), np.stack([p.e for p in steps]))


def sgd_step(t, a, upstream):
    rule, trajectory = _trajectory("sgd", t, a)
    state = {} if rule.velocity is None else {"momentum_buffer": rule.velocity}
    return {"trajectory": trajectory, **state}, {}, {}


def _adam_step(kind, t, a):
    rule, trajectory = _trajectory(kind, t, a)
    return {"trajectory": trajectory, "exp_avg": rule.mean, "exp_avg_sq": rule.square}, {}, {}


def adam_step(t, a, upstream):
    return _adam_step("adam", t, a)


def adamw_step(t, a, upstream):
    return _adam_step("adamw", t, a)
