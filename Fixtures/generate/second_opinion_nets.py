"""Blocks and whole networks a second time: NumPy layers on a tape, every backward pass written out by hand.

An elementwise rounding bound carried through fifty layers says nothing. So each case is computed again with every
layer's result, forward and backward, perturbed by its own rounding (u√K relative, K the terms of its longest sum);
PyTorch may differ by eight times the largest change that this makes in a tensor.
"""
import numpy as np

import second_opinion_optimizers
from architectures import architecture
from golden_case import array

U = 2.0**-53
PERTURBED_RUNS = 2
SPREADS = 8


class Node:
    """A value on the tape and the gradient that flows back to it."""

    def __init__(self, value):
        self.v, self.g = value, None

    def give(self, gradient):
        self.g = gradient if self.g is None else self.g + gradient


class Tape:
    """Runs layers on nodes and remembers how to go back."""

    def __init__(self, tensors, buffers, training, noise=None):
        self.tensors, self.after, self.training, self.noise = tensors, dict(buffers), training, noise
        self.gradients, self._backward = {}, []

    def back(self):
        # Taken off one by one: the steps hold the activations, which are freed as they go.
        while self._backward:
            self._backward.pop()()

    def _rounded(self, value, terms):
        if self.noise is None:
            return value
        return value * (1 + U * np.sqrt(terms) * self.noise.standard_normal(np.shape(value)))

    def _record(self, y, step):
        # A node that nothing depends on gets no gradient.
        self._backward.append(lambda: None if y.g is None else step(y.g))
        return y

    def _learn(self, name, gradient, terms):
        self.gradients[name] = self._rounded(gradient, terms)

    def conv(self, x, name, stride=1, padding=0, groups=1, dilation=1):
        w = self.tensors[name]
        k, c, kernel = w.shape[0], w.shape[1], w.shape[2]
        n, _, height, width = x.v.shape
        out = [(size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1 for size in (height, width)]
        windows = [(slice(None), slice(None), slice(r * dilation, r * dilation + stride * (out[0] - 1) + 1, stride),
                    slice(s * dilation, s * dilation + stride * (out[1] - 1) + 1, stride))
                   for r in range(kernel) for s in range(kernel)]
        grouped = w.reshape(groups, k // groups, c * kernel * kernel)
        extent = (n, groups * c, height + 2 * padding, width + 2 * padding)
        inside = (slice(None), slice(None), slice(padding, padding + height), slice(padding, padding + width))

        def columns():
            padded = np.zeros(extent)
            padded[inside] = x.v
            stacked = np.stack([padded[window] for window in windows], axis=2)
            return stacked.reshape(n, groups, c * len(windows), -1)

        y = Node(self._rounded((grouped @ columns()).reshape(n, k, *out), grouped.shape[2]))

        def step(g):
            g = g.reshape(n, groups, k // groups, -1)
            self._learn(name, (g @ columns().swapaxes(2, 3)).sum(axis=0).reshape(w.shape), n * out[0] * out[1])
            spread = (grouped.swapaxes(1, 2) @ g).reshape(n, groups * c, len(windows), *out)
            back = np.zeros(extent)
            for index, window in enumerate(windows):
                back[window] += spread[:, :, index]
            x.give(self._rounded(back[inside], k // groups * len(windows)))

        return self._record(y, step)

    def batch_norm(self, x, name, eps=1e-5, momentum=0.1):
        gamma, beta = (self.tensors[f"{name}.{part}"].reshape(-1, 1, 1) for part in ("weight", "bias"))
        axes, count = (0, 2, 3), x.v.size // x.v.shape[1]
        running = [self.after[f"{name}.running_{part}"] for part in ("mean", "var")]
        if self.training:
            mean = x.v.mean(axis=axes)
            variance = ((x.v - mean.reshape(-1, 1, 1)) ** 2).mean(axis=axes)
            for part, old, new in zip(("mean", "var"), running, (mean, variance * count / (count - 1))):
                self.after[f"{name}.running_{part}"] = self._rounded((1 - momentum) * old + momentum * new, count)
            self.after[f"{name}.num_batches_tracked"] = self.after[f"{name}.num_batches_tracked"] + 1
        else:
            mean, variance = running
        inverse = (1 / np.sqrt(variance + eps)).reshape(-1, 1, 1)
        normal = (x.v - mean.reshape(-1, 1, 1)) * inverse
        y = Node(self._rounded(normal * gamma + beta, count))

        def step(g):
            d_gamma, d_beta = (g * normal).sum(axis=axes), g.sum(axis=axes)
            self._learn(f"{name}.weight", d_gamma, count)
            self._learn(f"{name}.bias", d_beta, count)
            if self.training:
                g = g - (d_beta.reshape(-1, 1, 1) + normal * d_gamma.reshape(-1, 1, 1)) / count
            x.give(self._rounded(g * inverse * gamma, count))

        return self._record(y, step)

    def relu(self, x):
        y = Node(np.maximum(x.v, 0))
        return self._record(y, lambda g: x.give(g * (x.v > 0)))

    def add(self, x, other):
        y = Node(self._rounded(x.v + other.v, 1))

        def step(g):
            x.give(g)
            other.give(g)

        return self._record(y, step)

    def max_pool3(self, x):
        """3×3 windows with stride 2 and padding 1."""
        n, c, height, width = x.v.shape
        out = [(size - 1) // 2 + 1 for size in (height, width)]
        padded = np.full((n, c, height + 2, width + 2), -np.inf)
        padded[:, :, 1:-1, 1:-1] = x.v
        windows = [(slice(None), slice(None), slice(r, r + 2 * (out[0] - 1) + 1, 2),
                    slice(s, s + 2 * (out[1] - 1) + 1, 2)) for r in range(3) for s in range(3)]
        stacked = np.stack([padded[window] for window in windows])
        best = stacked.argmax(axis=0)
        y = Node(stacked.max(axis=0))

        def step(g):
            back = np.zeros(padded.shape)
            for index, window in enumerate(windows):
                back[window] += g * (best == index)
            x.give(back[:, :, 1:-1, 1:-1])

        return self._record(y, step)

    def nearest(self, x, size):
        rows, columns = ([i * old // new for i in range(new)] for old, new in zip(x.v.shape[2:], size))
        y = Node(x.v[:, :, rows][:, :, :, columns])

        def step(g):
            back = np.zeros(x.v.shape)
            for p, h in enumerate(rows):
                for q, w in enumerate(columns):
                    back[:, :, h, w] += g[:, :, p, q]
            x.give(back)

        return self._record(y, step)

    def mean_over_positions(self, x):
        count = x.v.shape[2] * x.v.shape[3]
        y = Node(self._rounded(x.v.mean(axis=(2, 3)), count))
        return self._record(y, lambda g: x.give(np.broadcast_to(g[:, :, None, None] / count, x.v.shape)))

    def linear(self, x, name):
        w, b = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        y = Node(self._rounded(x.v @ w.T + b, w.shape[1]))

        def step(g):
            self._learn(f"{name}.weight", g.T @ x.v, len(g))
            self._learn(f"{name}.bias", g.sum(axis=0), len(g))
            x.give(self._rounded(g @ w, w.shape[0]))

        return self._record(y, step)

    def cross_entropy(self, x, target):
        rows = np.arange(len(target))
        shifted = x.v - x.v.max(axis=1, keepdims=True)
        logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        y = Node(self._rounded(-logarithms[rows, target].mean(), x.v.shape[1]))

        def step(g):
            back = np.exp(logarithms)
            back[rows, target] -= 1
            x.give(self._rounded(back * g / len(target), x.v.shape[1]))

        return self._record(y, step)

    def shortcut(self, x, prefix, stride):
        if f"{prefix}downsample.0.weight" not in self.tensors:
            return x
        return self.batch_norm(self.conv(x, f"{prefix}downsample.0.weight", stride), f"{prefix}downsample.1")

    def basic(self, x, prefix, stride, groups=1, dilation=1):
        y = self.relu(self.batch_norm(self.conv(x, f"{prefix}conv1.weight", stride, 1), f"{prefix}bn1"))
        y = self.batch_norm(self.conv(y, f"{prefix}conv2.weight", 1, 1), f"{prefix}bn2")
        return self.relu(self.add(y, self.shortcut(x, prefix, stride)))

    def bottleneck(self, x, prefix, stride, groups=1, dilation=1):
        y = self.relu(self.batch_norm(self.conv(x, f"{prefix}conv1.weight"), f"{prefix}bn1"))
        y = self.conv(y, f"{prefix}conv2.weight", stride, dilation, groups, dilation)
        y = self.relu(self.batch_norm(y, f"{prefix}bn2"))
        y = self.batch_norm(self.conv(y, f"{prefix}conv3.weight"), f"{prefix}bn3")
        return self.relu(self.add(y, self.shortcut(x, prefix, stride)))

    def stages(self, x, stages, prefix):
        for index, stage in enumerate(stages):
            kind, *words = stage.split()
            options = dict(word.split("=") for word in words)
            if kind == "conv":
                x = self.conv(x, f"{prefix}{index}.weight", int(options.get("stride", 1)), int(options.get("pad", 0)),
                              int(options.get("groups", 1)))
            elif kind == "bn":
                x = self.batch_norm(x, f"{prefix}{index}")
            elif kind == "relu":
                x = self.relu(x)
            else:
                x = self.nearest(x, [int(n) for n in options["size"].split("x")])
        return x

    def network(self, x, name):
        plan = architecture(name)
        if plan.stem == "imagenet":
            y = self.max_pool3(self.relu(self.batch_norm(self.conv(x, "conv1.weight", 2, 3), "bn1")))
        else:
            y = self.relu(self.batch_norm(self.conv(x, "conv1.weight", 1, 1), "bn1"))
        outputs = {}
        block = self.basic if plan.block == "basic" else self.bottleneck
        for stage, depth in enumerate(plan.depths, start=1):
            for index in range(depth):
                y = block(y, f"layer{stage}.{index}.", 2 if stage > 1 and index == 0 else 1, plan.groups)
            outputs[f"stage{stage}"] = y
        outputs["logits"] = self.linear(self.mean_over_positions(y), "fc")
        return outputs


def run(case, tensors, buffers, upstream, noise=None):
    """Outputs, buffers afterwards and gradients of a block or network case, as arrays."""
    a = case.attributes
    tape = Tape(tensors, buffers, bool(a.get("training", False)), noise)
    x = Node(tensors["x"])
    options = (int(a.get("stride", 1)), int(a.get("groups", 1)), int(a.get("dilation", 1)))
    if case.operation == "basic_block":
        outputs = {"y": tape.basic(x, "", *options)}
    elif case.operation == "bottleneck":
        outputs = {"y": tape.bottleneck(x, "", *options)}
    elif case.operation == "residual_block":
        inner = tape.stages(x, a["stages"], "")
        outputs = {"y": tape.relu(tape.add(inner, tape.stages(x, a.get("shortcut", []), "shortcut.")))}
    else:
        outputs = tape.network(x, a["architecture"])
        outputs["loss"] = tape.cross_entropy(outputs["logits"], tensors["target"])
    for key, cotangent in upstream.items():
        outputs[key].give(cotangent)
    tape.back()
    gradients = dict(tape.gradients, x=x.g) if upstream else {}
    return {key: np.asarray(node.v) for key, node in outputs.items()}, tape.after, gradients


def spread(case, tensors, buffers, upstream):
    """The plain run, and for each of its tensors the largest change under perturbation."""
    plain = run(case, tensors, buffers, upstream)
    changes = [{key: 0.0 for key in group} for group in plain]
    for seed in range(PERTURBED_RUNS):
        perturbed = run(case, tensors, buffers, upstream, np.random.Generator(np.random.PCG64(seed)))
        for change, first, second in zip(changes, plain, perturbed):
            for key in first:
                change[key] = max(change[key], float(np.max(np.abs(first[key] - second[key]), initial=0)))
    return plain, [{key: SPREADS * value for key, value in change.items()} for change in changes]


def run_training(case, noise=None):
    """Losses of a training run and the first batch's logits afterwards; `noise` perturbs every layer."""
    a = case.attributes
    parameters = {key: array(value).astype(np.float64) for key, value in case.parameters.items()}
    buffers = {key: array(value).astype(np.float64) for key, value in case.buffers.items()}
    rules = {key: second_opinion_optimizers.make(a["optimizer"], a) for key in parameters}
    losses = []
    for rows in case.inputs["batches"]:
        tape = Tape(parameters, buffers, True, noise)
        outputs = tape.network(Node(case.inputs["images"][rows].astype(np.float64)), a["architecture"])
        loss = tape.cross_entropy(outputs["logits"], case.inputs["labels"][rows])
        loss.give(1.0)
        tape.back()
        losses.append(float(loss.v))
        buffers = tape.after
        parameters = {key: rules[key].update(p, tape.gradients[key]) for key, p in parameters.items()}
    tape = Tape(parameters, buffers, training=False)
    images = case.inputs["images"][case.inputs["batches"][0]].astype(np.float64)
    return np.array(losses), tape.network(Node(images), a["architecture"])["logits"].v
