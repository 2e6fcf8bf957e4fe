"""avg_pool2d: divisors under padding, ceil_mode and divisor_override; refusals."""
import numpy as np

from golden_case import Case, Fill

# A third entry "exact" where every divisor is a power of two.
GEOMETRIES = {
    "kernel2_default_stride": ((2, 3, 6, 8), {"kernel_size": 2}, "exact"),
    "kernel2_trailing_row_unread": ((2, 3, 7, 5), {"kernel_size": 2}, "exact"),
    "kernel1_stride2": ((2, 3, 5, 6), {"kernel_size": 1, "stride": 2}, "exact"),
    "kernel4_stride1_overlap_accumulates": ((1, 3, 7, 6), {"kernel_size": 4, "stride": 1}, "exact"),
    "kernel4_like_simple_resnet": ((2, 17, 4, 4), {"kernel_size": 4}, "exact"),
    "kernel2x4_padded": ((1, 3, 5, 8), {"kernel_size": [2, 4], "stride": [1, 2], "padding": [1, 2]}, "exact"),
    "kernel2_padding1_pad_not_counted": (
        (2, 2, 6, 4), {"kernel_size": 2, "padding": 1, "count_include_pad": False}, "exact"),
    "divisor_override_power_of_two": ((1, 3, 7, 8), {"kernel_size": 3, "stride": 2, "divisor_override": 8}, "exact"),
    "divisor_override_one_sums": ((1, 2, 6, 5), {"kernel_size": [3, 2], "divisor_override": 1}, "exact"),
    "divisor_override_with_padding_and_ceil": (
        (1, 2, 7, 6), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "divisor_override": 4}, "exact"),
    "divisor_override_negative": ((1, 2, 4, 6), {"kernel_size": 2, "divisor_override": -4}, "exact"),
    "divisor_override_five": ((1, 2, 6, 7), {"kernel_size": 2, "divisor_override": 5}),
    "kernel3": ((2, 3, 7, 9), {"kernel_size": 3}),
    "kernel3_stride1": ((1, 4, 5, 6), {"kernel_size": 3, "stride": 1}),
    "kernel3_padded_pad_counted": ((2, 3, 7, 6), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "kernel3_padded_pad_not_counted": (
        (2, 3, 7, 6), {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
    "asymmetric": ((2, 2, 9, 10), {"kernel_size": [2, 5], "stride": [3, 2], "padding": [1, 2]}),
    "asymmetric_pad_not_counted": (
        (2, 2, 9, 10), {"kernel_size": [5, 2], "stride": [2, 3], "padding": [2, 1], "count_include_pad": False}),
    "stride_larger_than_kernel": ((1, 3, 11, 8), {"kernel_size": 3, "stride": [4, 5]}),
    "ceil_overhang_is_not_counted": ((1, 3, 8, 7), {"kernel_size": 3, "stride": 2, "ceil_mode": True}),
    "ceil_pad_counted_overhang_not": (
        (1, 3, 8, 6), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    "ceil_pad_not_counted": (
        (1, 3, 8, 6), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}),
    "ceil_last_window_would_start_in_the_padding": (
        (1, 2, 5, 3), {"kernel_size": 2, "stride": 2, "padding": 1, "ceil_mode": True}, "exact"),
    "ceil_kernel5_reaches_two_beyond_the_padding": (
        (1, 2, 9, 11), {"kernel_size": 5, "stride": 3, "padding": 2, "ceil_mode": True}),
    "whole_input": ((3, 4, 5, 7), {"kernel_size": [5, 7]}),
    "one_by_one_input_padded": ((2, 3, 1, 1), {"kernel_size": 3, "stride": 1, "padding": 1}),
    "channels33": ((1, 33, 4, 3), {"kernel_size": 3, "stride": 1, "padding": 1}),
    "batch_zero": ((0, 3, 6, 5), {"kernel_size": 2}),
}
SMOKE = {"kernel4_like_simple_resnet", "kernel3_padded_pad_not_counted", "ceil_pad_counted_overhang_not",
         "divisor_override_five"}


def cases():
    for name, (shape, attributes, *kinds) in GEOMETRIES.items():
        for fill_name in ["random", *kinds]:
            full = f"/avg_pool2d/{name}/{fill_name}"
            fill = Fill(full)
            x = fill.integers(*shape, limit=1024, unit=0.125) if fill_name == "exact" else fill.random(*shape)
            yield Case(full, "avg_pool2d", attributes, fill_name, ("smoke",) if name in SMOKE else (), inputs={"x": x})
    yield from adversarial()
    yield from refusals()


def adversarial():
    fill = Fill("/avg_pool2d/adversarial")
    x = fill.random(1, 2, 6, 7)

    def case(name, x, **attributes):
        return Case(f"/avg_pool2d/adversarial/{name}", "avg_pool2d",
                    {"kernel_size": 3, "stride": 2, "padding": 1, **attributes}, inputs={"x": x.astype(np.float32)})

    def put(index, value, target=x):
        changed = target.copy()
        changed[index] = value
        return changed

    yield case("nan", put((0, 1, 3, 3), np.nan))
    yield case("infinities", put((0, 0, 0, 0), -np.inf, put((0, 0, 0, 1), np.inf)))
    yield case("denormals", x * 1e-41, count_include_pad=False)
    yield case("huge", x * 1e37)
    yield case("constants", x * 0 + 0.1, count_include_pad=False)
    yield case("mean_far_above_the_deviation", x + 1e4, ceil_mode=True)
    yield case("negative_zeros", x * 0 - 0.0)


def refusals():
    def case(name, category, attributes, shape=(1, 2, 5, 6), tags=(), x=None, accepted=False):
        full = f"/avg_pool2d/refuse/{name}"
        return Case(full, "avg_pool2d", attributes, expect_error=category, tags=tags, accepted_by_pytorch=accepted,
                    inputs={"x": Fill(full).random(*shape) if x is None else x})

    argument, shape = "invalid_argument", "shape_mismatch"
    yield case("padding_above_half_the_kernel", argument, {"kernel_size": 3, "padding": 2})
    yield case("padding_negative", argument, {"kernel_size": 2, "padding": [0, -1]})
    yield case("kernel_negative", argument, {"kernel_size": -2, "stride": 1})
    yield case("stride_zero", argument, {"kernel_size": 2, "stride": [0, 1]})
    yield case("divisor_override_zero", argument, {"kernel_size": 2, "divisor_override": 0}, tags=("smoke",))
    yield case("window_beyond_the_input", shape, {"kernel_size": [2, 7]})
    yield case("x_of_rank_two", shape, {"kernel_size": 2}, shape=(5, 6))
    yield case("integer_x", "unsupported_dtype", {"kernel_size": 2}, x=np.arange(30).reshape(1, 1, 5, 6),
               accepted=True)
