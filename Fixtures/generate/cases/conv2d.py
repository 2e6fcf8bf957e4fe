"""conv2d: geometry, groups, tails, non-finite values and refusals."""
import numpy as np

import operand_patterns
from golden_case import Case, Fill

# name: x shape, weight shape, attributes; each is filled exactly and randomly. H ≠ W, Cin ≠ Cout nearly everywhere.
GEOMETRIES = {
    "minimal/one_by_one_everything": ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    "minimal/one_by_one_spatial_3x3_kernel": ((2, 3, 1, 1), (4, 3, 3, 3), {"padding": 1}),
    "kernel1x1/plain": ((2, 5, 6, 7), (3, 5, 1, 1), {}),
    "kernel1x1/padding": ((2, 3, 4, 5), (4, 3, 1, 1), {"padding": 1}),
    "kernel1x1/stride2": ((2, 5, 7, 6), (4, 5, 1, 1), {"stride": 2}),
    "kernel1x1/stride_larger_than_kernel": ((1, 3, 10, 8), (2, 3, 1, 1), {"stride": 3}),
    "kernel2x2/even_kernel": ((2, 3, 6, 5), (4, 3, 2, 2), {}),
    "kernel2x2/stride_larger_than_kernel": ((1, 3, 11, 9), (2, 3, 2, 2), {"stride": [3, 4]}),
    "kernel2x2/padding": ((1, 2, 5, 4), (3, 2, 2, 2), {"padding": 1}),
    "kernel3x3/plain": ((2, 3, 6, 8), (4, 3, 3, 3), {}),
    "kernel3x3/padding1": ((2, 3, 7, 5), (4, 3, 3, 3), {"padding": 1}),
    "kernel3x3/whole_input_is_one_window": ((2, 4, 3, 3), (5, 4, 3, 3), {}),
    "kernel5x5/padding2": ((1, 2, 6, 9), (3, 2, 5, 5), {"padding": 2}),
    "kernel7x7/resnet_stem_tiny": ((1, 3, 11, 13), (4, 3, 7, 7), {"stride": 2, "padding": 3}),
    "kernel4x4/even_stride2_padding1": ((1, 3, 8, 10), (2, 3, 4, 4), {"stride": 2, "padding": 1}),
    "kernel6x6/as_large_as_padded_input": ((1, 2, 4, 4), (2, 2, 6, 6), {"padding": 1}),
    "asymmetric/kernel1x3": ((2, 3, 5, 7), (4, 3, 1, 3), {"padding": [0, 1]}),
    "asymmetric/kernel3x1": ((2, 3, 7, 5), (4, 3, 3, 1), {"padding": [1, 0]}),
    "asymmetric/kernel2x5_stride": ((1, 2, 9, 12), (3, 2, 2, 5), {"stride": [3, 2], "padding": [1, 2]}),
    "asymmetric/stride_height_only": ((2, 2, 9, 6), (3, 2, 3, 3), {"stride": [2, 1], "padding": 1}),
    "asymmetric/stride_width_only": ((2, 2, 6, 9), (3, 2, 3, 3), {"stride": [1, 3], "padding": 1}),
    "asymmetric/padding": ((1, 3, 5, 6), (2, 3, 3, 3), {"padding": [0, 2]}),
    "asymmetric/dilation": ((1, 3, 8, 10), (2, 3, 3, 3), {"dilation": [1, 3], "padding": [1, 3]}),
    "asymmetric/everything": (
        (2, 6, 13, 10), (4, 3, 3, 2), {"stride": [2, 3], "padding": [2, 1], "dilation": [3, 2], "groups": 2}),
    "stride2/even_input": ((2, 3, 8, 6), (4, 3, 3, 3), {"stride": 2, "padding": 1}),
    "stride2/odd_input": ((2, 3, 9, 7), (4, 3, 3, 3), {"stride": 2, "padding": 1}),
    "stride2/trailing_rows_that_no_window_reaches": ((1, 3, 8, 10), (2, 3, 3, 3), {"stride": 3}),
    "stride5/last_four_columns_unread": ((1, 2, 7, 12), (3, 2, 3, 3), {"stride": [2, 5]}),
    "padding/equal_to_kernel": ((1, 2, 4, 5), (3, 2, 3, 3), {"padding": 3}),
    "padding/larger_than_kernel": ((1, 3, 3, 2), (2, 3, 2, 2), {"padding": 4}),
    "padding/windows_of_padding_alone_between_strides": ((1, 2, 2, 3), (3, 2, 1, 1), {"padding": 3, "stride": 2}),
    "padding/same_odd_kernel": ((2, 3, 6, 5), (4, 3, 3, 5), {"padding": "same"}),
    "padding/same_even_kernel_pads_more_at_the_end": ((1, 3, 6, 7), (2, 3, 2, 4), {"padding": "same"}),
    "padding/same_dilated": ((1, 2, 7, 9), (3, 2, 3, 2), {"padding": "same", "dilation": [2, 3]}),
    "padding/valid": ((1, 3, 6, 7), (2, 3, 3, 2), {"padding": "valid", "stride": 2}),
    "dilation/two": ((2, 3, 9, 8), (4, 3, 3, 3), {"dilation": 2, "padding": 2}),
    "dilation/four_like_deeplab": ((1, 2, 9, 11), (3, 2, 3, 3), {"dilation": 4, "padding": 4}),
    "dilation/kernel_reaches_beyond_the_input": ((1, 2, 4, 3), (3, 2, 3, 3), {"dilation": 3, "padding": 3}),
    "dilation/only_the_centre_meets_the_input": ((1, 3, 2, 3), (2, 3, 3, 3), {"dilation": 5, "padding": 5}),
    "dilation/stride2": ((1, 3, 10, 9), (4, 3, 3, 3), {"dilation": 2, "stride": 2, "padding": 1}),
    "dilation/of_a_one_by_one_kernel": ((1, 3, 4, 5), (2, 3, 1, 1), {"dilation": 7}),
    "batch/zero": ((0, 3, 6, 5), (4, 3, 3, 3), {"padding": 1}),
    "batch/five": ((5, 2, 4, 5), (3, 2, 3, 3), {"padding": 1}),
    "channels/in1_out7": ((2, 1, 5, 6), (7, 1, 3, 3), {"padding": 1}),
    "channels/in7_out1": ((2, 7, 5, 6), (1, 7, 3, 3), {"padding": 1}),
    "channels/in15_out17": ((1, 15, 4, 5), (17, 15, 3, 3), {"padding": 1}),
    "channels/in16_out15": ((1, 16, 5, 3), (15, 16, 3, 3), {"padding": 1}),
    "channels/in17_out16": ((1, 17, 3, 4), (16, 17, 3, 3), {"padding": 1}),
    "channels/in31_out33": ((1, 31, 3, 5), (33, 31, 1, 1), {}),
    "channels/in32_out31": ((1, 32, 5, 4), (31, 32, 1, 1), {"stride": 2}),
    "channels/in33_out32": ((1, 33, 3, 4), (32, 33, 1, 1), {}),
    "channels/in64_out3": ((1, 64, 3, 4), (3, 64, 3, 3), {"padding": 1}),
    "groups/two": ((2, 4, 6, 5), (6, 2, 3, 3), {"groups": 2, "padding": 1}),
    "groups/three_stride2": ((1, 9, 7, 6), (6, 3, 3, 3), {"groups": 3, "stride": 2, "padding": 1}),
    "groups/resnext_thirty_two": ((1, 64, 4, 5), (64, 2, 3, 3), {"groups": 32, "padding": 1}),
    "groups/kernel1x1": ((2, 6, 4, 5), (9, 2, 1, 1), {"groups": 3}),
    "groups/dilated": ((1, 4, 8, 7), (2, 2, 3, 3), {"groups": 2, "dilation": 2, "padding": 2}),
    "depthwise/plain": ((2, 5, 6, 7), (5, 1, 3, 3), {"groups": 5, "padding": 1}),
    "depthwise/multiplier_two": ((2, 3, 6, 5), (6, 1, 3, 3), {"groups": 3, "padding": 1}),
    "depthwise/stride2_dilated": ((1, 4, 9, 8), (4, 1, 3, 3), {"groups": 4, "stride": 2, "dilation": 2, "padding": 2}),
    "depthwise/seventeen_channels": ((1, 17, 4, 5), (17, 1, 3, 3), {"groups": 17, "padding": 1}),
    "winograd/one_tile_of_2": ((1, 3, 4, 4), (4, 3, 3, 3), {}),
    "winograd/tail_of_one_column": ((1, 3, 5, 7), (2, 3, 3, 3), {}),
    "winograd/single_output": ((2, 5, 3, 3), (4, 5, 3, 3), {}),
    "winograd/one_tile_of_4_padded": ((1, 4, 4, 4), (5, 4, 3, 3), {"padding": 1}),
    "winograd/tails_of_1_and_3_in_tiles_of_4": ((1, 3, 9, 7), (4, 3, 3, 3), {"padding": 1}),
    "winograd/tails_of_2_and_5_in_tiles_of_6": ((1, 4, 8, 11), (3, 4, 3, 3), {"padding": 1}),
    "winograd/long_row": ((1, 2, 1, 29), (3, 2, 3, 3), {"padding": 1}),
    "winograd/padding2_full_correlation": ((1, 3, 5, 6), (4, 3, 3, 3), {"padding": 2}),
    "winograd/eighteen_channels_batch3": ((3, 18, 6, 5), (19, 18, 3, 3), {"padding": 1}),
    "spatial/one_row": ((2, 3, 1, 12), (4, 3, 1, 3), {}),
    "spatial/one_column": ((2, 3, 12, 1), (4, 3, 3, 1), {"stride": [2, 1]}),
    "spatial/tall": ((1, 2, 33, 3), (3, 2, 3, 3), {"padding": 1}),
}
WITHOUT_BIAS = {
    "kernel3x3/padding1", "stride2/even_input", "groups/two", "depthwise/plain", "kernel1x1/plain", "batch/five",
    "winograd/one_tile_of_4_padded", "padding/same_dilated", "channels/in31_out33", "kernel7x7/resnet_stem_tiny",
}
SMOKE = {
    "kernel1x1/padding", "kernel3x3/plain", "asymmetric/everything", "stride2/odd_input", "padding/larger_than_kernel",
    "padding/same_even_kernel_pads_more_at_the_end", "dilation/kernel_reaches_beyond_the_input", "batch/zero",
    "groups/two", "depthwise/multiplier_two", "winograd/tails_of_1_and_3_in_tiles_of_4", "channels/in15_out17",
}


def cases():
    for name, (x_shape, w_shape, attributes) in GEOMETRIES.items():
        for fill_name in ("exact", "random"):
            full = f"/conv2d/{name}/{fill_name}"
            fill = Fill(full)
            terms = int(np.prod(w_shape[1:]))
            if fill_name == "exact":
                x, w = fill.integers(*x_shape, limit=8, unit=0.25), fill.integers(*w_shape, limit=8, unit=0.125)
                bias = fill.integers(w_shape[0], limit=64, unit=2.0**-5)
            else:
                x, w = fill.random(*x_shape), fill.random(*w_shape, scale=terms**-0.5)
                bias = fill.random(w_shape[0], scale=0.5)
            parameters = {"weight": w} if name in WITHOUT_BIAS else {"weight": w, "bias": bias}
            yield Case(full, "conv2d", attributes, fill_name, ("smoke",) if name in SMOKE else (),
                       inputs={"x": x}, parameters=parameters)
    yield from relu_like_input()
    yield from long_sums()
    yield from adversarial()
    yield from patterns()
    yield from refusals()


def relu_like_input():
    """Half zeros and nothing negative, as inside a network: no cancellation on the input's side."""
    fill = Fill("/conv2d/relu_like")
    x = np.maximum(fill.random(2, 12, 6, 5), 0)
    yield Case("/conv2d/relu_like/random", "conv2d", {"padding": 1}, "random", ("smoke",),
               inputs={"x": x}, parameters={"weight": fill.random(5, 12, 3, 3, scale=0.1)})


def long_sums():
    """K = 4608, the longest sum of any ResNet."""
    for fill_name in ("exact", "random"):
        fill = Fill(f"/conv2d/long_sum/{fill_name}")
        x = fill.procedural(1, 512, 3, 4)
        weight = fill.procedural(2, 512, 3, 3, low=-0.05, high=0.05)
        if fill_name == "exact":
            x, weight = fill.integers(1, 512, 3, 4, limit=4), fill.integers(2, 512, 3, 3, limit=4, unit=0.125)
        yield Case(f"/conv2d/long_sum/k4608/{fill_name}", "conv2d", {"padding": 1}, fill_name,
                   inputs={"x": x}, parameters={"weight": weight}, sample_above=1024)


def adversarial():
    def case(name, change, attributes=None, x_shape=(1, 3, 5, 6), w_shape=(4, 3, 3, 3), tags=(), cotangent=None):
        full = f"/conv2d/adversarial/{name}"
        fill = Fill(full)
        x, w, bias = fill.random(*x_shape), fill.random(*w_shape, scale=0.2), fill.random(w_shape[0])
        x, w, bias = change(x, w, bias)
        parameters = {"weight": w.astype(np.float32)}
        if bias is not None:
            parameters["bias"] = bias.astype(np.float32)
        upstream = None if cotangent is None else {"y": cotangent(fill)}
        return Case(full, "conv2d", attributes or {}, "adversarial", tags, inputs={"x": x.astype(np.float32)},
                    parameters=parameters, upstream=upstream)

    def put(target, index, value):
        changed = target.copy()
        changed[index] = value
        return changed

    corner, middle = (0, 1, 0, 5), (0, 2, 2, 3)
    yield case("nan_in_x_spreads_to_its_windows_alone", lambda x, w, b: (put(x, middle, np.nan), w, b),
               {"padding": 1}, tags=("smoke",))
    yield case("infinity_in_x", lambda x, w, b: (put(x, corner, np.inf), w, b), {"padding": 1})
    yield case("opposite_infinities_meet_as_nan",
               lambda x, w, b: (put(put(x, middle, np.inf), (0, 0, 2, 2), -np.inf), w, b), {"padding": 1})
    yield case("nan_in_one_filter", lambda x, w, b: (x, put(w, (2, 1, 0, 2), np.nan), b))
    yield case("infinity_in_one_filter", lambda x, w, b: (x, put(w, (1, 0, 2, 2), -np.inf), b))
    yield case("nan_in_bias", lambda x, w, b: (x, w, put(b, 3, np.nan)), {"padding": 1})
    yield case("infinity_in_bias", lambda x, w, b: (x, w, put(b, 0, -np.inf)), {"stride": 2, "padding": 1})
    yield case("all_zero_x_gives_the_bias", lambda x, w, b: (np.zeros_like(x), w, b), {"padding": 1})
    yield case("negative_zeros", lambda x, w, b: (np.full_like(x, -0.0), w, np.full_like(b, -0.0)))
    yield case("denormal_x", lambda x, w, b: (x * np.float32(1e-41), w, b * 0), {"padding": 1})
    yield case("denormal_products", lambda x, w, b: (x * 1e-22, w * 1e-21, b * 0), {"padding": 1})
    yield case("products_below_the_smallest_denormal", lambda x, w, b: (x * 1e-30, w * 1e-30, b * 0))
    yield case("denormal_weights_huge_x", lambda x, w, b: (x * 1e36, w * 1e-40, b), {"stride": [1, 2]})
    yield case("huge_x", lambda x, w, b: (x * 1e36, w, b * 1e36), {"padding": 1})
    yield case("huge_weights_tiny_x", lambda x, w, b: (x * 1e-30, w * 1e30, b))
    yield case("scales_mixed_by_channel",
               lambda x, w, b: (x * np.array([1e-6, 1, 1e6]).reshape(1, 3, 1, 1), w, b), {"padding": 1})
    yield case("one_large_term_hides_the_rest", lambda x, w, b: (put(x, middle, 2.0**26), w, b), {"padding": 1})
    yield case("cancellation",
               lambda x, w, b: (np.concatenate([x[:, :1], -x[:, :1], x[:, 2:] * 1e-5], 1),
                                np.concatenate([w[:, :1], w[:, :1], w[:, 2:]], 1), b * 1e-5), {"padding": 1})
    yield case("constants_round_systematically", lambda x, w, b: (x * 0 + 0.1, w * 0 + 0.1, b * 0 + 0.1),
               {"padding": 1})
    yield case("constants_over_a_long_sum", lambda x, w, b: (x * 0 + 0.1, w * 0 + 0.3, b * 0 + 0.7),
               {"padding": 1}, (1, 128, 3, 4), (2, 128, 3, 3))
    yield case("mean_far_above_the_deviation", lambda x, w, b: (x + 1e4, w, b), {"padding": 1, "stride": 2})
    yield case("nan_in_one_group", lambda x, w, b: (put(x, (0, 1, 2, 2), np.nan), w, b), {"groups": 2, "padding": 1},
               (1, 4, 5, 4), (6, 2, 3, 3))
    yield case("nan_in_one_image_of_the_batch", lambda x, w, b: (put(x, (1, 0, 1, 1), np.nan), w, b),
               {"padding": 1}, (3, 2, 4, 5), (3, 2, 3, 3))
    yield case("nan_where_no_window_reaches", lambda x, w, b: (put(x, (0, 0, 5, 7), np.nan), w, b), {"stride": 3},
               (1, 3, 6, 8))
    yield from padding_meets_infinity(case, put)
    yield from overflowing_transforms(case)
    yield case("nan_in_winograd_tile_neighbour", lambda x, w, b: (put(x, (0, 0, 4, 4), np.nan), w, b),
               {"padding": 1}, (1, 2, 9, 9), (2, 2, 3, 3))


def padding_meets_infinity(case, put):
    """Padding is zeros that take part: 0·∞ is NaN in y and dw. Beyond the border of dy is nothing, so that dx has no such term."""
    first, inner = (1, 0, 0, 0), (0, 1, 1, 2)
    infinite = lambda x, w, b: (x, put(put(w, first, np.inf), inner, -np.inf), b)
    yield case("infinite_weights_padded", infinite, {"padding": 1}, tags=("smoke",))
    yield case("infinite_weights_padded_stride2", infinite, {"padding": [2, 1], "stride": 2})
    yield case("infinite_weights_padded_dilated_groups", lambda x, w, b: (x, put(w, first, np.inf), b),
               {"padding": 2, "dilation": 2, "groups": 2}, (2, 4, 5, 4), (4, 2, 3, 3))
    yield case("infinite_weights_padded_same", infinite, {"padding": "same"}, (1, 3, 4, 5), (4, 3, 2, 4))
    yield case("nan_weight_padded_many_channels", lambda x, w, b: (x, put(w, (17, 3, 2, 1), np.nan), b),
               {"padding": 1}, (1, 18, 5, 6), (19, 18, 3, 3))
    yield case("infinite_weights_padded_many_channels", lambda x, w, b: (x, put(w, (17, 3, 2, 1), np.inf), b),
               {"padding": 1}, (1, 18, 9, 10), (19, 18, 3, 3))

    def corners(shape):
        return lambda fill: put(put(fill.cotangent(shape), (0, 1, 0, 0), np.inf), (0, 2, shape[2] - 1, 1), -np.inf)

    same = lambda x, w, b: (x, w, b)
    yield case("infinite_cotangents_padded", same, {"padding": 1}, cotangent=corners((1, 4, 5, 6)), tags=("smoke",))
    yield case("infinite_cotangents_padded_stride2", same, {"padding": 1, "stride": 2}, cotangent=corners((1, 4, 3, 3)))
    yield case("infinite_cotangents_padded_many_channels", same, {"padding": 1}, (1, 18, 5, 6), (19, 18, 3, 3),
               cotangent=corners((1, 19, 5, 6)))


def overflowing_transforms(case):
    """Winograd tiles that overflow in float32 where no partial sum of the definition does, forward and backward."""
    for name, attributes, x_shape, w_shape in (
            ("", {"padding": 1}, (1, 3, 9, 10), (4, 3, 3, 3)),
            ("_many_channels", {"padding": 1}, (1, 16, 9, 10), (18, 16, 3, 3))):
        def cotangent(scale, shape=(1, w_shape[0], *x_shape[2:])):
            return lambda fill: fill.cotangent(shape) * np.float32(scale)

        yield case(f"huge_finite_x{name}", lambda x, w, b: (x / np.abs(x).max() * 3e38, w * 1e-3, b), attributes,
                   x_shape, w_shape, cotangent=cotangent(1e-3))
        yield case(f"huge_finite_cotangents{name}", lambda x, w, b: (x * 1e-3, w * 1e-3, None), attributes,
                   x_shape, w_shape, cotangent=cotangent(1.5e38))
        yield case(f"huge_finite_weights{name}", lambda x, w, b: (x * 1e-3, w / np.abs(w).max() * 3e38, b), attributes,
                   x_shape, w_shape, cotangent=cotangent(1e-3))


def patterns():
    """Sums of more than 500 terms, and one of 27, in which one wrong term counts for more."""
    return operand_patterns.cases("conv2d", {
        "k576": ((1, 64, 5, 6), (4, 64, 3, 3), {"padding": 1}, 576),
        "k27": ((2, 3, 8, 9), (4, 3, 3, 3), {"padding": 1}, 144),
        "k512_kernel1x1": ((1, 512, 1, 3), (2, 512, 1, 1), {}, 512),
    }, lambda x, weight, attributes: (x[0], weight[0], *x[2:]))


def refusals():
    def case(name, category, attributes=None, x=(2, 4, 6, 5), w=(6, 4, 3, 3), bias=None, tags=(), integer=None):
        fill = Fill(f"/conv2d/refuse/{name}")
        tensors = {"x": fill.random(*x), "weight": fill.random(*w)}
        if bias is not None:
            tensors["bias"] = fill.random(*bias)
        if integer:
            tensors[integer] = np.round(4 * tensors[integer]).astype(np.int64)
        return Case(f"/conv2d/refuse/{name}", "conv2d", attributes or {}, expect_error=category, tags=tags,
                    inputs={"x": tensors.pop("x")}, parameters=tensors)

    argument, shape = "invalid_argument", "shape_mismatch"
    yield case("stride_zero", argument, {"stride": 0}, tags=("smoke",))
    yield case("stride_negative_in_width", argument, {"stride": [1, -1]})
    yield case("dilation_zero", argument, {"dilation": 0})
    yield case("dilation_negative", argument, {"dilation": [-2, 1]})
    yield case("groups_zero", argument, {"groups": 0})
    yield case("groups_negative", argument, {"groups": -2})
    yield case("padding_negative", argument, {"padding": -1})
    yield case("padding_unknown_word", argument, {"padding": "reflect"})
    yield case("same_with_stride", argument, {"padding": "same", "stride": 2})
    yield case("stride_of_three_numbers", argument, {"stride": [1, 1, 1]})
    yield case("out_channels_not_divisible_by_groups", argument, {"groups": 4}, w=(6, 1, 3, 3))
    yield case("in_channels_not_divisible_by_groups", argument, {"groups": 3}, w=(6, 1, 3, 3))
    yield case("output_height_zero", shape, x=(1, 4, 2, 5))
    yield case("dilated_kernel_beyond_padded_input", shape, {"dilation": 4, "padding": 1})
    yield case("bias_too_long", shape, bias=(7,), tags=("smoke",))
    yield case("bias_of_the_input_channels", shape, bias=(4,))
    yield case("bias_is_a_matrix", shape, bias=(6, 1))
    yield case("weight_for_other_channels", shape, w=(6, 3, 3, 3))
    yield case("weight_ignores_groups", shape, {"groups": 2}, w=(6, 4, 3, 3))
    yield case("weight_of_rank_three", shape, w=(6, 4, 3))
    yield case("x_of_rank_five", shape, x=(1, 2, 4, 6, 5))
    yield case("x_of_rank_two", shape, x=(4, 6))
    yield case("integer_x", "unsupported_dtype", integer="x")
    yield case("integer_weight", "unsupported_dtype", integer="weight")
