"""Holds PyTorch's values against the second opinion's, within the error bound that the latter carries."""
import numpy as np

import second_opinion
import second_opinion_nets
from golden_case import array
from running_error import Running, U

# One bound for each of the two producers, and as much again since PyTorch may arrange the same formula differently.
PRODUCERS_AND_ARRANGEMENTS = 4
# Products that underflow in float64 lose at most this each.
SMALLEST = 2.0**-1074
EXACT_LIMIT = 2.0**24
# Exact blocks are made of integers; their cotangents are multiples of this.
COTANGENT_UNIT = 0.125
NETS = {"basic_block", "bottleneck", "residual_block", "resnet"}


class Disagreement(Exception):
    """The two producers differ by more than rounding explains, or a case breaks its fill's promise."""


def check(case, outputs, buffers_after, upstream, gradients):
    """The largest error/bound of the case; raises `Disagreement` where it exceeds one."""
    judge = _check_net if case.operation in NETS else _check_layer
    return judge(case, outputs, buffers_after, upstream, gradients)


def _check_layer(case, outputs, buffers_after, upstream, gradients):
    exact = case.fill == "exact"

    def leaf(value):
        numbers = array(value)
        return Running.leaf(numbers, exact) if numbers.dtype.kind == "f" else numbers

    tensors = {key: leaf(value) for key, value in {**case.inputs, **case.parameters, **case.buffers}.items()}
    if "num_batches_tracked" in tensors:
        tensors["num_batches_tracked"] = Running.leaf(tensors["num_batches_tracked"])
    cotangents = {key: leaf(value) for key, value in upstream.items()}
    mine = second_opinion.evaluate(case.operation, tensors, case.attributes, cotangents)
    worst = 0.0
    for where, theirs, ours in _pairs(case, (outputs, buffers_after, gradients), mine):
        worst = max(worst, _compare(where, theirs, ours, case.terms))
        if exact and theirs.dtype.kind == "f":
            _require_exact(where, theirs, ours)
    return worst


def _pairs(case, groups, mine):
    for group, theirs, ours in zip(("outputs", "buffers_after", "gradients"), groups, mine):
        if set(theirs) != set(ours):
            raise Disagreement(f"{case.name}: {group} hold {sorted(theirs)}, the second opinion has {sorted(ours)}")
        for key in theirs:
            yield f"{case.name}/{group}/{key}", theirs[key], ours[key]


def _check_net(case, outputs, buffers_after, upstream, gradients):
    def wide(tensors):
        return {key: array(value).astype(np.float64 if array(value).dtype.kind == "f" else np.int64)
                for key, value in tensors.items()}

    tensors, cotangents = wide({**case.inputs, **case.parameters}), wide(upstream)
    mine, bounds = second_opinion_nets.spread(case, tensors, wide(case.buffers), cotangents)
    worst = 0.0
    for (where, theirs, ours), (_, _, bound) in zip(_pairs(case, (outputs, buffers_after, gradients), mine),
                                                    _pairs(case, (outputs, buffers_after, gradients), bounds)):
        difference = float(np.max(np.abs(theirs - ours), initial=0))
        if theirs.shape != np.shape(ours) or not difference <= bound:
            raise Disagreement(f"{where}: difference {difference:g} exceeds {bound:g}")
        worst = max(worst, difference / bound if difference else 0.0)
    if case.fill == "exact":
        # On magnitudes every gate is open, so that each result is at least the sum of its terms' magnitudes.
        magnitudes = second_opinion_nets.run(case, {key: np.abs(value) for key, value in tensors.items()}, {},
                                             {key: np.abs(value) for key, value in cotangents.items()})
        for where, theirs, ours in _pairs(case, (outputs, buffers_after, gradients), magnitudes):
            unit = COTANGENT_UNIT if "/gradients/" in where else 1
            if ours.max() >= EXACT_LIMIT * unit or np.any(theirs % unit):
                raise Disagreement(f"{where}: not below 2^24 units of {unit}")
    return worst


def check_training(case, outputs):
    """Losses of a training run, against a run whose every layer is perturbed by its own rounding."""
    plain = second_opinion_nets.run_training(case)
    changed = second_opinion_nets.run_training(case, np.random.Generator(np.random.PCG64(0)))
    worst = 0.0
    for key, first, second in zip(("loss", "logits"), plain, changed):
        bound = second_opinion_nets.SPREADS * np.maximum.accumulate(np.abs(first - second).reshape(-1))
        bound = bound.reshape(first.shape) if key == "loss" else np.full(first.shape, bound[-1])
        difference = np.abs(outputs[key] - first)
        if not np.all(difference <= bound):
            raise Disagreement(f"{case.name}/{key}: differences {difference} exceed {bound}")
        worst = max(worst, float((difference / bound).max()))
    return worst


def _compare(where, theirs, ours, terms=None):
    if not isinstance(ours, Running):
        if not np.array_equal(theirs, ours):
            raise Disagreement(f"{where}: integers differ\nPyTorch {theirs}\nNumPy {ours}")
        return 0.0
    if theirs.shape != ours.shape:
        raise Disagreement(f"{where}: PyTorch's shape is {theirs.shape}, the second opinion's {ours.shape}")
    special = ~np.isfinite(theirs) | ~np.isfinite(ours.v)
    if not np.array_equal(theirs[special], ours.v[special], equal_nan=True):
        raise Disagreement(f"{where}: different NaN or infinities\nPyTorch {theirs}\nNumPy {ours.v}")
    difference = np.abs(theirs[~special] - ours.v[~special])
    error = ours.e if terms is None else np.maximum(ours.e, terms * U * ours.a)
    bound = PRODUCERS_AND_ARRANGEMENTS * (error[~special] + SMALLEST)
    with np.errstate(all="ignore"):
        ratio = np.where(difference == 0, 0.0, difference / bound)
    if ratio.size == 0:
        return 0.0
    # Written so that a NaN bound is a disagreement too.
    if not np.all(ratio <= 1):
        at = int(np.argmax(np.where(np.isnan(ratio), np.inf, ratio)))
        raise Disagreement(f"{where}: difference {difference[at]:g} exceeds {bound[at]:g} at finite element {at}")
    return float(ratio.max())


def _require_exact(where, theirs, ours):
    if ours.q is None or (ours.a.size and ours.a.max() >= EXACT_LIMIT * ours.q):
        raise Disagreement(f"{where}: an exact fill needs every sum of magnitudes below 2^24 units, unit {ours.q}")
    if not np.array_equal(theirs, ours.v):
        raise Disagreement(f"{where}: an exact fill must give equal values")
    if not np.array_equal(theirs, theirs.astype(np.float32)):
        raise Disagreement(f"{where}: an exact fill's result must be a float32")
