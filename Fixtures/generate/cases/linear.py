"""linear: tails, empty batches, long sums, non-finite values and refusals."""
import numpy as np

import operand_patterns
from golden_case import Case, Fill

# name: batch, in, out
SHAPES = {
    "minimal/one_by_one": (1, 1, 1), "k1/outer_product": (3, 1, 5), "k2": (4, 2, 3), "out1/dot_product": (5, 7, 1),
    "batch/zero": (0, 4, 3), "batch/one": (1, 9, 6), "batch/seventeen": (17, 5, 4),
    "tails/in7_out9": (2, 7, 9), "tails/in8_out8": (3, 8, 8), "tails/in15_out17": (2, 15, 17),
    "tails/in16_out15": (2, 16, 15), "tails/in31_out33": (2, 31, 33), "tails/in33_out31": (3, 33, 31),
    "tails/in65_out3": (2, 65, 3), "resnet/cifar_head_64_to_10": (4, 64, 10),
}
NO_BIAS = {"k2", "batch/one", "tails/in8_out8", "tails/in31_out33"}
SMOKE = {"k1/outer_product", "batch/zero", "tails/in15_out17"}


def cases():
    for name, (batch, features, out) in SHAPES.items():
        for fill_name in ("exact", "random"):
            full = f"/linear/{name}/{fill_name}"
            fill = Fill(full)
            if fill_name == "exact":
                x, weight = fill.integers(batch, features, unit=0.5), fill.integers(out, features, unit=0.125)
                bias = fill.integers(out, limit=32, unit=0.0625)
            else:
                x, weight = fill.random(batch, features), fill.random(out, features, scale=features**-0.5)
                bias = fill.random(out)
            parameters = {"weight": weight} if name in NO_BIAS else {"weight": weight, "bias": bias}
            yield Case(full, "linear", {}, fill_name, ("smoke",) if name in SMOKE else (), inputs={"x": x},
                       parameters=parameters)
    yield from heads()
    yield from adversarial()
    yield from patterns()
    yield from refusals()


def heads():
    """The classifiers of ResNet-18/34 and ResNet-50/101/152."""
    for features in (512, 2048):
        name = f"/linear/resnet/head_{features}_to_1000/random"
        fill = Fill(name)
        bound = features**-0.5
        yield Case(name, "linear", {}, "random", inputs={"x": fill.procedural(2, features, low=0.0, high=2.0)},
                   parameters={"weight": fill.procedural(1000, features, low=-bound, high=bound),
                               "bias": fill.procedural(1000, low=-bound, high=bound)}, sample_above=256)


def adversarial():
    def case(name, change, shape=(3, 6, 4), tags=()):
        full = f"/linear/adversarial/{name}"
        fill = Fill(full)
        batch, features, out = shape
        values = change(fill.random(batch, features), fill.random(out, features), fill.random(out))
        x, weight, bias = (np.asarray(v, dtype=np.float32) for v in values)
        return Case(full, "linear", {}, "adversarial", tags, inputs={"x": x},
                    parameters={"weight": weight, "bias": bias})

    def put(target, index, value):
        changed = target.copy()
        changed[index] = value
        return changed

    yield case("nan_in_one_row", lambda x, w, b: (put(x, (1, 2), np.nan), w, b), tags=("smoke",))
    yield case("infinity_in_weight", lambda x, w, b: (x, put(w, (2, 5), np.inf), b))
    yield case("opposite_infinities", lambda x, w, b: (put(np.abs(x), (0, 1), np.inf),
                                                       put(np.abs(w), (3, 1), -np.inf), put(b, 3, np.inf)))
    yield case("infinity_times_zero", lambda x, w, b: (put(x, (0, 0), np.inf), put(w, (1, 0), 0), b))
    yield case("denormals", lambda x, w, b: (x * 1e-20, w * 1e-21, b * 0))
    yield case("huge_and_tiny", lambda x, w, b: (x * 1e30, w * 1e-28, b))
    yield case("constants_over_a_long_sum", lambda x, w, b: (x * 0 + 0.1, w * 0 + 0.1, b * 0), (2, 700, 3))
    yield case("mean_far_above_the_deviation", lambda x, w, b: (x + 1e4, w + 1e2, b), (2, 40, 5))
    yield case("cancellation", lambda x, w, b: (np.concatenate([x, x * (1 + 2.0**-20)], 1),
                                                np.concatenate([w, -w], 1), b * 0))
    yield case("zeros_keep_the_bias", lambda x, w, b: (x * 0, w, put(b, 0, -0.0)))


def patterns():
    """A sum of more than 500 terms, and one of 12."""
    return operand_patterns.cases("linear", {
        "k520": ((3, 520), (5, 520), {}, 520), "k12": ((7, 12), (9, 12), {}, 12),
    }, lambda x, weight, attributes: (x[0], weight[0]))


def refusals():
    def case(name, category, x, weight, bias=None, integer=False, tags=()):
        fill = Fill(f"/linear/refuse/{name}")
        parameters = {"weight": fill.random(*weight)}
        if bias is not None:
            parameters["bias"] = fill.random(*bias)
        numbers = fill.random(*x)
        return Case(f"/linear/refuse/{name}", "linear", expect_error=category, tags=tags, parameters=parameters,
                    inputs={"x": np.round(numbers * 4).astype(np.int64) if integer else numbers})

    yield case("in_features_differ", "shape_mismatch", (2, 5), (3, 4), tags=("smoke",))
    yield case("weight_transposed", "shape_mismatch", (2, 5), (5, 3))
    yield case("bias_too_long", "shape_mismatch", (2, 5), (3, 5), (4,))
    yield case("bias_of_the_input", "shape_mismatch", (2, 5), (3, 5), (5,))
    yield case("weight_of_rank_three", "shape_mismatch", (2, 5), (3, 5, 1))
    yield case("integer_x", "unsupported_dtype", (2, 5), (3, 5), integer=True)
