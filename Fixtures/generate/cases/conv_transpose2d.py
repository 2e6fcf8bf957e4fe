"""conv_transpose2d: geometry, output padding, groups, tails, non-finite values and refusals."""
import numpy as np

import operand_patterns
from golden_case import Case, Fill

# name: x shape, weight shape (in, out/groups, kh, kw), attributes; each is filled exactly and randomly.
GEOMETRIES = {
    "minimal/one_by_one_everything": ((1, 1, 1, 1), (1, 1, 1, 1), {}),
    "minimal/one_pixel_becomes_the_kernel": ((2, 3, 1, 1), (3, 4, 3, 5), {}),
    "kernel1x1/plain": ((2, 5, 6, 7), (5, 3, 1, 1), {}),
    "kernel1x1/stride2_leaves_gaps": ((2, 3, 4, 5), (3, 4, 1, 1), {"stride": 2}),
    "kernel1x1/stride3_output_padding": ((1, 3, 3, 4), (3, 2, 1, 1), {"stride": 3, "output_padding": 2}),
    "kernel1x1/padding_crops": ((1, 3, 5, 6), (3, 4, 1, 1), {"padding": 1}),
    "kernel2x2/stride2_tiles_without_overlap": ((2, 4, 3, 5), (4, 3, 2, 2), {"stride": 2}),
    "kernel3x3/plain": ((2, 3, 4, 6), (3, 4, 3, 3), {}),
    "kernel3x3/padding1": ((2, 3, 7, 5), (3, 4, 3, 3), {"padding": 1}),
    "kernel4x4/stride2_padding1_doubles": ((1, 3, 4, 5), (3, 2, 4, 4), {"stride": 2, "padding": 1}),
    "kernel5x5/stride2_padding2": ((1, 2, 4, 5), (2, 3, 5, 5), {"stride": 2, "padding": 2}),
    "kernel7x7/stride2_padding3": ((1, 4, 4, 3), (4, 3, 7, 7), {"stride": 2, "padding": 3, "output_padding": 1}),
    "stride2/k3_p1": ((2, 3, 4, 5), (3, 4, 3, 3), {"stride": 2, "padding": 1}),
    "stride2/k3_p1_output_padding_doubles": (
        (2, 3, 4, 5), (3, 4, 3, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
    "stride4/k8_p2": ((1, 2, 2, 3), (2, 1, 8, 8), {"stride": 4, "padding": 2}),
    "output_padding/width_alone": (
        (1, 3, 4, 5), (3, 2, 3, 3), {"stride": [1, 3], "padding": 1, "output_padding": [0, 2]}),
    "output_padding/beyond_what_x_reaches": ((1, 3, 3, 4), (3, 2, 2, 2), {"stride": 4, "output_padding": 3}),
    "output_padding/restores_part_of_what_padding_crops": (
        (1, 3, 3, 4), (3, 2, 3, 3), {"stride": 2, "padding": 2, "output_padding": 1}),
    "output_padding/below_the_dilation": ((1, 2, 4, 3), (2, 3, 3, 3), {"dilation": 3, "output_padding": 2}),
    "asymmetric/kernel1x3": ((2, 3, 5, 7), (3, 4, 1, 3), {"padding": [0, 1]}),
    "asymmetric/stride_width_only": ((2, 2, 6, 4), (2, 3, 3, 3), {"stride": [1, 3], "padding": 1}),
    "asymmetric/dilation": ((1, 3, 4, 5), (3, 2, 3, 3), {"dilation": [1, 3], "padding": [1, 3]}),
    "asymmetric/everything": ((2, 6, 4, 3), (6, 2, 3, 2), {
        "stride": [2, 3], "padding": [2, 1], "output_padding": [1, 2], "dilation": [3, 2], "groups": 2}),
    "padding/output_smaller_than_input": ((1, 3, 7, 8), (3, 2, 3, 3), {"padding": 3}),
    "padding/border_pixels_reach_nothing": ((1, 2, 6, 7), (2, 3, 2, 2), {"padding": 3}),
    "padding/one_row_is_left": ((1, 3, 5, 6), (3, 2, 3, 3), {"padding": 3}),
    "padding/stride2_crops_whole_strides": ((1, 2, 5, 6), (2, 3, 3, 3), {"stride": 2, "padding": 4}),
    "dilation/two": ((2, 3, 5, 4), (3, 4, 3, 3), {"dilation": 2, "padding": 2}),
    "dilation/stride2": ((1, 3, 4, 5), (3, 4, 3, 3), {"dilation": 2, "stride": 2, "padding": 1}),
    "dilation/larger_than_the_input": ((1, 2, 2, 3), (2, 3, 3, 3), {"dilation": 4}),
    "batch/zero": ((0, 3, 4, 5), (3, 4, 3, 3), {"stride": 2, "padding": 1}),
    "channels/in1_out7": ((2, 1, 4, 5), (1, 7, 3, 3), {"padding": 1}),
    "channels/in15_out17": ((1, 15, 3, 4), (15, 17, 3, 2), {"padding": 1}),
    "channels/in16_out15": ((1, 16, 2, 3), (16, 15, 2, 2), {"stride": 2}),
    "channels/in17_out16": ((1, 17, 2, 4), (17, 16, 1, 3), {"padding": [0, 1]}),
    "channels/in31_out33": ((1, 31, 3, 5), (31, 33, 1, 1), {}),
    "channels/in33_out32": ((1, 33, 3, 2), (33, 32, 2, 1), {"stride": 2}),
    "channels/in64_out3": ((1, 64, 2, 3), (64, 3, 2, 3), {"stride": 2, "padding": 1}),
    "groups/two": ((2, 4, 4, 5), (4, 3, 3, 3), {"groups": 2, "padding": 1}),
    "groups/three_stride2": ((1, 9, 4, 3), (9, 2, 3, 3), {"groups": 3, "stride": 2, "padding": 1, "output_padding": 1}),
    "depthwise/plain": ((2, 5, 4, 6), (5, 1, 3, 3), {"groups": 5, "padding": 1}),
    "depthwise/multiplier_two": ((2, 3, 4, 5), (3, 2, 3, 3), {"groups": 3, "padding": 1}),
    "depthwise/seventeen_channels": ((1, 17, 2, 3), (17, 1, 3, 3), {"groups": 17, "stride": 2, "padding": 1}),
    "spatial/one_row": ((2, 3, 1, 12), (3, 4, 1, 3), {"stride": [1, 2]}),
    "spatial/one_column": ((2, 3, 12, 1), (3, 4, 3, 1), {"stride": [2, 1]}),
}
WITHOUT_BIAS = {
    "kernel3x3/padding1", "stride2/k3_p1_output_padding_doubles", "groups/two", "depthwise/plain", "kernel1x1/plain",
    "channels/in31_out33", "kernel7x7/stride2_padding3", "output_padding/beyond_what_x_reaches",
}
SMOKE = {
    "kernel1x1/stride2_leaves_gaps", "kernel3x3/plain", "asymmetric/everything", "batch/zero", "groups/two",
    "stride2/k3_p1_output_padding_doubles", "padding/border_pixels_reach_nothing", "depthwise/multiplier_two",
    "output_padding/restores_part_of_what_padding_crops", "channels/in15_out17",
}


def cases():
    for name, (x_shape, w_shape, attributes) in GEOMETRIES.items():
        for fill_name in ("exact", "random"):
            full = f"/conv_transpose2d/{name}/{fill_name}"
            fill = Fill(full)
            out = w_shape[1] * attributes.get("groups", 1)
            if fill_name == "exact":
                x, w = fill.integers(*x_shape, limit=8, unit=0.25), fill.integers(*w_shape, limit=8, unit=0.125)
                bias = fill.integers(out, limit=64, unit=2.0**-5)
            else:
                terms = x_shape[1] // attributes.get("groups", 1) * w_shape[2] * w_shape[3]
                x, w = fill.random(*x_shape), fill.random(*w_shape, scale=terms**-0.5)
                bias = fill.random(out, scale=0.5)
            parameters = {"weight": w} if name in WITHOUT_BIAS else {"weight": w, "bias": bias}
            yield Case(full, "conv_transpose2d", attributes, fill_name, ("smoke",) if name in SMOKE else (),
                       inputs={"x": x}, parameters=parameters, sample_above=1024)
    yield from long_sums()
    yield from adversarial()
    yield from patterns()
    yield from refusals()


def long_sums():
    """512 channels whose kernels overlap, and an output of more than a thousand elements."""
    for fill_name in ("exact", "random"):
        full = f"/conv_transpose2d/long_sum/k4608/{fill_name}"
        fill = Fill(full)
        if fill_name == "exact":
            x, weight = fill.integers(1, 512, 3, 4, limit=4), fill.integers(512, 2, 3, 3, limit=4, unit=0.125)
        else:
            x, weight = fill.procedural(1, 512, 3, 4), fill.procedural(512, 2, 3, 3, low=-0.05, high=0.05)
        yield Case(full, "conv_transpose2d", {"padding": 1}, fill_name, inputs={"x": x}, parameters={"weight": weight},
                   sample_above=1024)
    full = "/conv_transpose2d/long_sum/decoder_stage/random"
    fill = Fill(full)
    yield Case(full, "conv_transpose2d", {"stride": 2, "padding": 1}, "random",
               inputs={"x": fill.procedural(1, 128, 9, 10)},
               parameters={"weight": fill.procedural(128, 8, 4, 4, low=-0.05, high=0.05),
                           "bias": fill.procedural(8)}, sample_above=1024)


def adversarial():
    def case(name, change, attributes=None, x_shape=(1, 3, 4, 5), w_shape=(3, 4, 3, 3), tags=(), cotangent=None):
        full = f"/conv_transpose2d/adversarial/{name}"
        fill = Fill(full)
        out = w_shape[1] * (attributes or {}).get("groups", 1)
        x, w, bias = fill.random(*x_shape), fill.random(*w_shape, scale=0.2), fill.random(out)
        x, w, bias = change(x, w, bias)
        upstream = None if cotangent is None else {"y": cotangent(fill)}
        return Case(full, "conv_transpose2d", attributes or {}, "adversarial", tags,
                    inputs={"x": x.astype(np.float32)}, upstream=upstream,
                    parameters={"weight": w.astype(np.float32), "bias": bias.astype(np.float32)})

    def put(target, index, value):
        changed = target.copy()
        changed[index] = value
        return changed

    corner, middle = (0, 1, 0, 4), (0, 2, 2, 3)
    doubling = {"stride": 2, "padding": 1, "output_padding": 1}
    yield case("nan_in_x_spreads_to_its_kernel_alone", lambda x, w, b: (put(x, middle, np.nan), w, b), doubling,
               tags=("smoke",))
    yield case("infinity_in_x", lambda x, w, b: (put(x, corner, np.inf), w, b), {"padding": 1})
    yield case("infinity_in_a_pixel_that_is_cropped", lambda x, w, b: (put(x, (0, 0, 0, 0), np.inf), w, b),
               {"padding": 3}, (1, 3, 6, 7))
    yield case("opposite_infinities_meet_as_nan",
               lambda x, w, b: (put(put(x, middle, np.inf), (0, 0, 2, 2), -np.inf), w, b), {"padding": 1})
    yield case("nan_in_one_filter", lambda x, w, b: (x, put(w, (2, 1, 0, 2), np.nan), b))
    yield case("infinity_in_one_filter_without_padding", lambda x, w, b: (x, put(w, (1, 0, 2, 2), -np.inf), b))
    yield case("infinity_in_bias", lambda x, w, b: (x, w, put(b, 0, -np.inf)), doubling)
    yield case("nan_in_bias", lambda x, w, b: (x, w, put(b, 3, np.nan)), {"stride": 3}, (1, 3, 2, 3))
    yield case("nan_in_one_group", lambda x, w, b: (put(x, (0, 1, 2, 2), np.nan), w, b), {"groups": 2, "padding": 1},
               (1, 4, 5, 4), (4, 3, 3, 3))
    yield case("nan_in_one_image_of_the_batch", lambda x, w, b: (put(x, (1, 0, 1, 1), np.nan), w, b), doubling,
               (3, 2, 3, 4), (2, 3, 3, 3))
    yield from padding_meets_infinity(case, put)
    yield case("gaps_between_strides_hold_the_bias", lambda x, w, b: (x, w, put(b, 1, -0.0)), {"stride": 4},
               (1, 3, 2, 3))
    yield case("all_zero_x_gives_the_bias", lambda x, w, b: (np.zeros_like(x), w, b), {"padding": 1})
    yield case("negative_zeros", lambda x, w, b: (np.full_like(x, -0.0), w, np.full_like(b, -0.0)))
    yield case("denormal_x", lambda x, w, b: (x * np.float32(1e-41), w, b * 0), {"padding": 1})
    yield case("denormal_products", lambda x, w, b: (x * 1e-22, w * 1e-21, b * 0), doubling)
    yield case("products_below_the_smallest_denormal", lambda x, w, b: (x * 1e-30, w * 1e-30, b * 0))
    yield case("huge_x", lambda x, w, b: (x * 1e36, w, b * 1e36), {"padding": 1})
    yield case("huge_weights_tiny_x", lambda x, w, b: (x * 1e-30, w * 1e30, b))
    yield case("scales_mixed_by_channel",
               lambda x, w, b: (x * np.array([1e-6, 1, 1e6]).reshape(1, 3, 1, 1), w, b), {"padding": 1})
    yield case("one_large_term_hides_the_rest", lambda x, w, b: (put(x, middle, 2.0**26), w, b), {"padding": 1})
    yield case("cancellation",
               lambda x, w, b: (np.concatenate([x[:, :1], -x[:, :1], x[:, 2:] * 1e-5], 1),
                                np.concatenate([w[:1], w[:1], w[2:]], 0), b * 1e-5), {"padding": 1})
    yield case("constants_over_a_long_sum", lambda x, w, b: (x * 0 + 0.1, w * 0 + 0.3, b * 0 + 0.7), {"padding": 1},
               (1, 128, 3, 4), (128, 2, 3, 3))
    yield case("mean_far_above_the_deviation", lambda x, w, b: (x + 1e4, w, b), doubling)


def padding_meets_infinity(case, put):
    """Beyond x's border is nothing: y has no 0·∞. Around dy are zeros, which take part in dx and dw."""
    infinite = lambda x, w, b: (x, put(put(w, (1, 0, 0, 0), np.inf), (0, 1, 1, 2), -np.inf), b)
    yield case("infinite_weights_padded", infinite, {"padding": 1}, tags=("smoke",))
    yield case("infinite_weights_padded_stride2", infinite, {"padding": [2, 1], "stride": 2})
    yield case("infinite_weights_padded_dilated_groups", infinite, {"padding": 2, "dilation": 2, "groups": 2},
               (2, 4, 5, 4), (4, 2, 3, 3))
    yield case("infinite_weights_padded_many_channels", lambda x, w, b: (x, put(w, (17, 3, 2, 1), np.inf), b),
               {"padding": 1}, (1, 18, 3, 4), (18, 5, 3, 3))

    def corners(shape):
        return lambda fill: put(put(fill.cotangent(shape), (0, 1, 0, 0), np.inf), (0, 2, shape[2] - 1, 1), -np.inf)

    same = lambda x, w, b: (x, w, b)
    yield case("infinite_cotangents_padded", same, {"padding": 1}, cotangent=corners((1, 4, 4, 5)), tags=("smoke",))
    yield case("infinite_cotangents_padded_stride2", same, {"padding": 1, "stride": 2}, cotangent=corners((1, 4, 7, 9)))


def patterns():
    """A sum of more than 500 terms, and one of 27 at most."""
    def doubled(x, weight, attributes):
        return (x[0], weight[1], *(2 * size for size in x[2:])) if "stride" in attributes else (x[0], weight[1], *x[2:])

    return operand_patterns.cases("conv_transpose2d", {
        "k576": ((1, 64, 5, 4), (64, 4, 3, 3), {"padding": 1}, 576),
        "k27": ((2, 3, 5, 4), (3, 4, 3, 3), {"stride": 2, "padding": 1, "output_padding": 1}, 40),
    }, doubled)


def refusals():
    def case(name, category, attributes=None, x=(2, 4, 5, 6), w=(4, 6, 3, 3), bias=None, tags=(), integer=None):
        fill = Fill(f"/conv_transpose2d/refuse/{name}")
        tensors = {"x": fill.random(*x), "weight": fill.random(*w)}
        if bias is not None:
            tensors["bias"] = fill.random(*bias)
        if integer:
            tensors[integer] = np.round(4 * tensors[integer]).astype(np.int64)
        return Case(f"/conv_transpose2d/refuse/{name}", "conv_transpose2d", attributes or {}, expect_error=category,
                    tags=tags, inputs={"x": tensors.pop("x")}, parameters=tensors)

    argument, shape = "invalid_argument", "shape_mismatch"
    yield case("output_padding_equal_to_the_stride", argument, {"stride": 2, "output_padding": 2}, tags=("smoke",))
    yield case("output_padding_with_stride_one", argument, {"output_padding": 1})
    yield case("output_padding_too_large_in_width", argument, {"stride": [3, 2], "output_padding": [2, 2]})
    yield case("output_padding_equal_to_stride_and_dilation", argument,
               {"stride": 2, "dilation": 2, "output_padding": 2})
    yield case("output_padding_negative", argument, {"stride": 2, "output_padding": -1})
    yield case("stride_zero", argument, {"stride": 0})
    yield case("stride_negative_in_width", argument, {"stride": [1, -1]})
    yield case("dilation_zero", argument, {"dilation": 0})
    yield case("groups_zero", argument, {"groups": 0})
    yield case("groups_negative", argument, {"groups": -2})
    yield case("padding_negative", argument, {"padding": -1}, tags=("smoke",))
    yield case("padding_in_words", argument, {"padding": "same"})
    yield case("stride_of_three_numbers", argument, {"stride": [1, 1, 1]})
    yield case("in_channels_not_divisible_by_groups", argument, {"groups": 3})
    yield case("output_height_zero", shape, {"padding": [3, 1]}, x=(1, 4, 4, 5))
    yield case("output_width_negative", shape, {"padding": [1, 5]})
    yield case("bias_too_long", shape, bias=(7,), tags=("smoke",))
    yield case("bias_of_the_input_channels", shape, bias=(4,))
    yield case("bias_of_one_group", shape, {"groups": 2}, bias=(6,))
    yield case("bias_is_a_matrix", shape, bias=(6, 1))
    yield case("weight_for_other_channels", shape, w=(3, 6, 3, 3))
    yield case("weight_laid_out_as_a_convolution", shape, w=(6, 4, 3, 3))
    yield case("weight_of_rank_three", shape, w=(4, 6, 3))
    yield case("x_of_rank_five", shape, x=(1, 2, 4, 6, 5))
    yield case("x_of_rank_two", shape, x=(4, 6))
    yield case("integer_x", "unsupported_dtype", integer="x")
    yield case("integer_weight", "unsupported_dtype", integer="weight")
