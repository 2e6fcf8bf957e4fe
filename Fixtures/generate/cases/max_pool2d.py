"""max_pool2d: padding that never wins, ties, NaN, overlap, ceil_mode and refusals."""
import numpy as np

from golden_case import Case, Fill

GEOMETRIES = {
    "resnet_stem": ((2, 3, 11, 14), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "resnet_stem_even": ((1, 5, 12, 8), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "kernel1": ((2, 3, 4, 5), {"kernel_size": 1}),
    "kernel2_default_stride": ((2, 3, 6, 8), {"kernel_size": 2}),
    "kernel2_trailing_row_unread": ((2, 3, 7, 5), {"kernel_size": 2}),
    "kernel3_stride1_overlap_accumulates": ((2, 2, 6, 5), {"kernel_size": 3, "stride": 1}),
    "kernel3_stride1_padding1": ((1, 3, 5, 4), {"kernel_size": 3, "stride": 1, "padding": 1}),
    "stride_larger_than_kernel": ((1, 3, 10, 11), {"kernel_size": 2, "stride": 3}),
    "asymmetric": ((2, 3, 9, 10), {"kernel_size": [2, 3], "stride": [3, 2], "padding": [1, 0]}),
    "asymmetric_long_kernel": ((1, 2, 4, 13), {"kernel_size": [1, 5], "stride": [1, 4], "padding": [0, 2]}),
    "dilation2": ((2, 3, 8, 9), {"kernel_size": 3, "stride": 1, "dilation": 2}),
    "dilation_asymmetric_padded": (
        (1, 3, 9, 7), {"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 1], "dilation": [2, 3]}),
    "dilation_with_ceil": ((1, 2, 10, 9), {"kernel_size": 2, "stride": 3, "dilation": 3, "ceil_mode": True}),
    "ceil": ((2, 3, 7, 6), {"kernel_size": 2, "ceil_mode": True}),
    "ceil_stem": ((1, 3, 8, 10), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    "ceil_last_window_would_start_in_the_padding": (
        (1, 2, 5, 3), {"kernel_size": 2, "stride": 2, "padding": 1, "ceil_mode": True}),
    "ceil_of_no_effect": ((1, 3, 6, 9), {"kernel_size": 3, "ceil_mode": True}),
    "ceil_stride_beyond_kernel": ((1, 2, 8, 5), {"kernel_size": 1, "stride": 3, "ceil_mode": True}),
    "whole_input": ((3, 4, 5, 4), {"kernel_size": [5, 4]}),
    "one_by_one_input_padded": ((2, 3, 1, 1), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "channels17_batch3": ((3, 17, 4, 5), {"kernel_size": 2, "stride": 1}),
    "batch_zero": ((0, 3, 6, 5), {"kernel_size": 2}),
}
SMOKE = {"resnet_stem", "asymmetric", "dilation2", "ceil_last_window_would_start_in_the_padding"}
STEM = {"kernel_size": 3, "stride": 2, "padding": 1}


def distinct_integers(fill, shape):
    """Every element another multiple, so that no window has a tie."""
    count = int(np.prod(shape))
    return ((fill.rng.permutation(count) - count // 2) * 0.25).astype(np.float32).reshape(shape)


def cases():
    for name, (shape, attributes) in GEOMETRIES.items():
        for fill_name in ("exact", "random"):
            full = f"/max_pool2d/{name}/{fill_name}"
            fill = Fill(full)
            x = distinct_integers(fill, shape) if fill_name == "exact" else fill.random(*shape)
            yield Case(full, "max_pool2d", attributes, fill_name, ("smoke",) if name in SMOKE else (), inputs={"x": x})
    yield from adversarial()
    yield from refusals()


def adversarial():
    def case(name, x, attributes=None, tags=(), fill_name="adversarial"):
        return Case(f"/max_pool2d/adversarial/{name}", "max_pool2d", attributes or STEM, fill_name, tags,
                    inputs={"x": np.asarray(x, dtype=np.float32)})

    fill = Fill("/max_pool2d/adversarial")
    x = fill.random(1, 2, 7, 6)
    yield case("all_negative_with_padding", -np.abs(x) - 1, tags=("smoke",))
    yield case("all_zero_ties_take_the_first", np.zeros((2, 2, 5, 6)), tags=("smoke",))
    yield case("ties_among_three_values", fill.rng.integers(-1, 2, (2, 3, 7, 6)))
    yield case("ties_of_signed_zeros", np.where(fill.rng.integers(0, 2, (1, 2, 6, 6)) == 0, -0.0, 0.0),
               {"kernel_size": 2})
    yield case("ties_overlapping_stride1", np.full((1, 1, 4, 5), 2.5), {"kernel_size": 3, "stride": 1, "padding": 1})
    yield case("all_minus_infinity", np.full((1, 2, 5, 4), -np.inf))
    one_window = x.copy()
    one_window[0, 0, 0:2, 0:2] = -np.inf
    yield case("one_window_of_minus_infinity", one_window, {"kernel_size": 2}, tags=("smoke",))
    with_nan = x.copy()
    with_nan[0, 1, 3, 3] = np.nan
    yield case("nan_wins_all_its_windows", with_nan, tags=("smoke",))
    first_nan = x.copy()
    first_nan[0, 0, 0, 0] = np.nan
    yield case("nan_first_in_its_window", first_nan, {"kernel_size": 2})
    nan_and_infinity = x.copy()
    nan_and_infinity[0, 0, 2, 2], nan_and_infinity[0, 0, 2, 3] = np.nan, np.inf
    yield case("nan_beats_infinity", nan_and_infinity)
    infinite = x.copy()
    infinite[0, 0, 1, 1], infinite[0, 1, 2, 4] = np.inf, -np.inf
    yield case("infinities", infinite)
    yield case("denormals", x * 1e-41)
    yield case("lowest_finite_beats_padding", np.full((1, 1, 3, 4), -3.4028235e38))
    yield case("one_ulp_apart", 1 + fill.rng.integers(0, 3, (1, 2, 6, 5)) * 2.0**-23, {"kernel_size": 2, "stride": 1})


def refusals():
    def case(name, category, attributes, shape=(1, 2, 5, 6), tags=(), x=None, accepted=False):
        full = f"/max_pool2d/refuse/{name}"
        return Case(full, "max_pool2d", attributes, expect_error=category, tags=tags, accepted_by_pytorch=accepted,
                    inputs={"x": Fill(full).random(*shape) if x is None else x})

    argument, shape = "invalid_argument", "shape_mismatch"
    yield case("padding_above_half_the_kernel", argument, {"kernel_size": 3, "padding": 2}, tags=("smoke",))
    yield case("padding_negative", argument, {"kernel_size": 2, "padding": -1})
    yield case("kernel_zero", argument, {"kernel_size": 0, "stride": 1})
    yield case("stride_zero", argument, {"kernel_size": 2, "stride": 0})
    yield case("stride_negative", argument, {"kernel_size": 2, "stride": [1, -2]})
    yield case("dilation_zero", argument, {"kernel_size": 2, "dilation": 0})
    yield case("window_beyond_the_input", shape, {"kernel_size": 7})
    yield case("dilated_window_beyond_the_input", shape, {"kernel_size": 3, "dilation": 3})
    yield case("x_of_rank_two", shape, {"kernel_size": 2}, shape=(5, 6))
    yield case("x_of_rank_five", shape, {"kernel_size": 2}, shape=(1, 1, 2, 5, 6))
    yield case("integer_x", "unsupported_dtype", {"kernel_size": 2}, x=np.arange(30).reshape(1, 1, 5, 6),
               accepted=True)
