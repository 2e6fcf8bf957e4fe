"""layer_norm: one to three trailing axes, absent affine parts, ill-conditioned rows and refusals.

No fill is exact: the statistics of a row may be gathered in one pass that divides by 3.
"""
import numpy as np

from golden_case import Case, Fill

BOTH, WEIGHT, BIAS, NONE = ("weight", "bias"), ("weight",), ("bias",), ()
# name: shape, normalized_dims, attributes, affine parts
SHAPES = {
    "plain": ((4, 10), 1, {}, BOTH),
    "whole_input": ((4, 10), 2, {}, BOTH),
    "rank_one": ((33,), 1, {}, BOTH),
    "rank_three_last_axis": ((2, 5, 12), 1, {}, BOTH),
    "rank_three_last_two": ((3, 5, 7), 2, {}, BOTH),
    "rank_three_whole": ((2, 3, 7), 3, {}, BOTH),
    "nchw_last_axis": ((2, 3, 4, 9), 1, {}, BOTH),
    "nchw_plane": ((2, 3, 4, 5), 2, {}, BOTH),
    "nchw_image": ((3, 4, 3, 5), 3, {}, BOTH),
    "rank_five_last_axis": ((2, 1, 3, 2, 11), 1, {}, BOTH),
    "rank_five_last_two": ((2, 2, 3, 4, 5), 2, {}, BOTH),
    "rank_five_last_three": ((2, 3, 2, 3, 4), 3, {}, BOTH),
    "two_values_in_a_row": ((5, 2), 1, {}, BOTH),
    "row7": ((3, 7), 1, {}, BOTH), "row15": ((3, 15), 1, {}, BOTH), "row16": ((2, 16), 1, {}, BOTH),
    "row17": ((2, 17), 1, {}, BOTH), "row31": ((2, 31), 1, {}, BOTH), "row33": ((2, 33), 1, {}, BOTH),
    "row64": ((17, 64), 1, {}, BOTH),
    "batch_zero": ((0, 6), 1, {}, BOTH),
    "batch_zero_image": ((0, 3, 4, 5), 3, {}, BOTH),
    "many_short_rows": ((67, 3), 1, {}, BOTH),
    "no_affine": ((3, 14), 1, {}, NONE),
    "weight_alone": ((4, 3, 5), 2, {}, WEIGHT),
    "bias_alone": ((4, 3, 5), 2, {}, BIAS),
    "eps_large": ((3, 12), 1, {"eps": 2.0}, BOTH),
    "eps_tiny": ((3, 12), 1, {"eps": 1e-12}, BOTH),
    "eps_zero": ((3, 12), 1, {"eps": 0.0}, BOTH),
}
SMOKE = {"plain", "nchw_image", "batch_zero", "rank_five_last_two", "bias_alone"}


def cases():
    for name, (shape, dims, attributes, affine) in SHAPES.items():
        full = f"/layer_norm/{name}/random"
        fill = Fill(full)
        yield build(full, fill, fill.random(*shape, mean=0.3), dims, attributes, affine, "random",
                    ("smoke",) if name in SMOKE else ())
    yield from statistics_that_differ()
    yield from network_sizes()
    yield from adversarial()
    yield from refusals()


def build(name, fill, x, dims, attributes=None, affine=BOTH, fill_name="adversarial", tags=()):
    shape = x.shape[-dims:] if dims > 0 else ()
    drawn = {"weight": fill.random(*shape, mean=1, scale=0.3), "bias": fill.random(*shape)}
    return Case(name, "layer_norm", {"normalized_dims": dims, **(attributes or {})}, fill_name, tags,
                inputs={"x": x.astype(np.float32)}, parameters={key: drawn[key] for key in affine})


def statistics_that_differ():
    """Rows, columns and scales far apart: statistics taken over too much or too little show."""
    for name, shape, dims, shift in (("rows", (4, 12), 1, np.array([-3, 0, 5, 2]).reshape(4, 1)),
                                     ("columns", (3, 6), 1, np.array([-4, 1, 6, 0, 3, -2])),
                                     ("planes", (2, 3, 4, 5), 2, np.array([-4, 0, 5]).reshape(1, 3, 1, 1)),
                                     ("planes_of_an_image", (2, 3, 4, 5), 3, np.array([-4, 0, 5]).reshape(1, 3, 1, 1))):
        full = f"/layer_norm/shifted/{name}/random"
        fill = Fill(full)
        yield build(full, fill, fill.random(*shape) + shift, dims, fill_name="random",
                    tags=("smoke",) if name == "rows" else ())
    full = "/layer_norm/shifted/row_scales/random"
    fill = Fill(full)
    yield build(full, fill, fill.random(3, 19) * np.array([1e-3, 1e3, 30]).reshape(3, 1), 1, fill_name="random")


def network_sizes():
    """Long rows, as the channels of a ConvNeXt or a transformer, and a whole image."""
    for name, shape, dims in (("channels768", (13, 768), 1), ("channels1024_and_a_tail", (5, 1031), 1),
                              ("image", (1, 16, 15, 28), 3)):
        full = f"/layer_norm/sizes/{name}/random"
        fill = Fill(full)
        yield Case(full, "layer_norm", {"normalized_dims": dims}, "random", (),
                   inputs={"x": fill.procedural(*shape, low=-1.5, high=2.0)},
                   parameters={"weight": fill.procedural(*shape[-dims:], low=0.5, high=1.5),
                               "bias": fill.procedural(*shape[-dims:], low=-0.5, high=0.5)}, sample_above=256)


def adversarial():
    def case(name, change, shape=(3, 20), dims=1, attributes=None, affine=BOTH, tags=()):
        full = f"/layer_norm/adversarial/{name}"
        fill = Fill(full)
        x = change(fill.random(*shape).astype(np.float64))
        return build(full, fill, x, dims, attributes, affine, tags=tags)

    def put(x, index, value):
        x[index] = value
        return x

    yield case("mean_1e4_plus_noise", lambda x: 1e4 + x, tags=("smoke",))
    yield case("mean_1e4_plus_small_noise", lambda x: 1e4 + 0.05 * x)
    yield case("mean_minus_1e6_in_one_row", lambda x: x + np.array([0, -1e6, 0]).reshape(3, 1))
    yield case("constant_row", lambda x: put(x, 1, 3.0), tags=("smoke",))
    yield case("constant_row_not_dyadic", lambda x: put(x, 1, 0.1))
    yield case("constant_long_row", lambda x: x * 0 + 0.1, (2, 700))
    yield case("one_value_in_a_row_gives_the_bias", lambda x: x, (7, 1))
    yield case("constant_row_without_eps_is_nan", lambda x: put(x, 1, 3.0), attributes={"eps": 0.0})
    yield case("all_zero", lambda x: x * 0)
    yield case("all_negative_zero", lambda x: x * 0 - 0.0, affine=NONE)
    yield case("one_outlier", lambda x: put(x, (1, 7), 1e5))
    yield case("two_values_only", lambda x: np.sign(x))
    yield case("deviation_below_the_root_of_eps", lambda x: x * 1e-4)
    yield case("deviation_far_below_eps", lambda x: x * 1e-12)
    yield case("denormals", lambda x: x * 1e-40)
    yield case("huge", lambda x: x * 1e15)
    yield case("eps_above_the_variance", lambda x: x, attributes={"eps": 1e6})
    yield case("nan_stays_in_its_row", lambda x: put(x, (1, 4), np.nan), tags=("smoke",))
    yield case("nan_in_a_vector_tail", lambda x: put(x, (0, 16), np.nan), (3, 17))
    yield case("nan_stays_in_its_image", lambda x: put(x, (1, 1, 2, 2), np.nan), (3, 2, 3, 4), 3)
    yield case("infinity_makes_its_row_nan", lambda x: put(x, (2, 0), np.inf))
    yield case("opposite_infinities", lambda x: put(put(x, (0, 3), np.inf), (0, 9), -np.inf))
    built = case("nan_in_weight_and_infinity_in_bias", lambda x: x)
    built.parameters["weight"] = put(built.parameters["weight"], 1, np.nan)
    built.parameters["bias"] = put(built.parameters["bias"], 2, -np.inf)
    yield built
    built = case("zero_and_negative_weights", lambda x: x, (3, 4))
    built.parameters["weight"] = np.array([0.0, -1.5, -0.0, 1.0], dtype=np.float32)
    yield built


def refusals():
    def case(name, category, shape=(2, 3, 4, 5), dims=2, tags=(), **replacements):
        full = f"/layer_norm/refuse/{name}"
        fill = Fill(full)
        built = build(full, fill, fill.random(*shape), dims)
        built.expect_error, built.tags = category, tags
        for key, value in replacements.items():
            (built.inputs if key == "x" else built.parameters)[key] = value
        return built

    def ones(*shape):
        return np.ones(shape, dtype=np.float32)

    argument, mismatch = "invalid_argument", "shape_mismatch"
    yield case("no_axis", argument, dims=0)
    yield case("axes_negative", argument, dims=-1)
    yield case("more_axes_than_x_has", mismatch, shape=(4, 5), dims=3, tags=("smoke",))
    yield case("weight_too_long", mismatch, weight=ones(4, 6), tags=("smoke",))
    yield case("weight_transposed", mismatch, weight=ones(5, 4))
    yield case("weight_flattened", mismatch, weight=ones(20))
    yield case("weight_of_the_last_axis_alone", mismatch, weight=ones(5))
    yield case("weight_of_the_channels", mismatch, dims=3, weight=ones(3))
    yield case("bias_too_short", mismatch, bias=ones(4, 4))
    yield case("bias_of_one_axis_more", mismatch, bias=ones(3, 4, 5))
    yield case("integer_x", "unsupported_dtype", x=np.arange(2 * 3 * 4 * 5, dtype=np.int64).reshape(2, 3, 4, 5))
