"""upsample2d: nearest and bilinear, by size and by factor, with and without aligned corners."""
import numpy as np

from golden_case import Case, Fill

# A third entry "exact" where every weight is dyadic.
GEOMETRIES = {
    "nearest/scale2": ((2, 3, 3, 4), {"scale_factor": 2.0}, "exact"),
    "nearest/scale4_like_the_digits": ((2, 1, 8, 8), {"scale_factor": 4.0}, "exact"),
    "nearest/scale_pair": ((1, 3, 4, 3), {"scale_factor": [2.0, 3.0]}, "exact"),
    "nearest/scale_2.5": ((1, 2, 4, 6), {"scale_factor": 2.5}, "exact"),
    "nearest/scale_half": ((1, 3, 6, 8), {"scale_factor": 0.5}, "exact"),
    "nearest/size_of_the_tutorial": ((2, 3, 6, 5), {"size": [14, 14]}, "exact"),
    "nearest/size_uneven": ((1, 3, 3, 5), {"size": [7, 8]}, "exact"),
    "nearest/size_smaller": ((1, 3, 7, 9), {"size": [3, 4]}, "exact"),
    "nearest/size_same": ((2, 3, 4, 5), {"size": [4, 5]}, "exact"),
    "nearest/from_one_pixel": ((2, 5, 1, 1), {"size": [3, 4]}, "exact"),
    "nearest/single_size_for_both_axes": ((1, 2, 3, 4), {"size": 6}, "exact"),
    # An axis whose size a factor leaves as it is, or doubles exactly, follows no formula.
    "nearest/scale_keeps_the_columns": ((2, 3, 4, 5), {"scale_factor": [2.5, 1.1]}, "exact"),
    "nearest/scale_keeps_both_axes": ((1, 2, 3, 4), {"scale_factor": 1.2}, "exact"),
    "nearest/scale_doubles_without_being_2": ((1, 2, 4, 6), {"scale_factor": 2.1}, "exact"),
    # ⌊41·(2/82)⌋ is 1; in single precision the step is a little less.
    "nearest/size_whose_step_is_rounded": ((1, 2, 2, 3), {"size": [82, 5]}, "exact"),
    "nearest/batch_zero": ((0, 3, 4, 5), {"scale_factor": 2.0}),
    "bilinear/scale2": ((2, 3, 4, 5), {"scale_factor": 2.0, "mode": "bilinear"}, "exact"),
    "bilinear/scale4": ((1, 2, 3, 5), {"scale_factor": 4.0, "mode": "bilinear"}, "exact"),
    "bilinear/scale_half": ((1, 2, 8, 6), {"scale_factor": 0.5, "mode": "bilinear"}, "exact"),
    "bilinear/scale_1.5": ((1, 3, 4, 6), {"scale_factor": 1.5, "mode": "bilinear"}),
    "bilinear/scale_keeps_the_rows": ((1, 2, 3, 4), {"scale_factor": [1.2, 2.0], "mode": "bilinear"}, "exact"),
    "bilinear/scale_keeps_the_columns": ((2, 3, 4, 5), {"scale_factor": [1.5, 1.1], "mode": "bilinear"}),
    "bilinear/scale_keeps_both_axes": ((1, 2, 3, 4), {"scale_factor": 1.2, "mode": "bilinear"}, "exact"),
    "bilinear/size_keeps_the_columns": ((1, 2, 3, 5), {"size": [7, 5], "mode": "bilinear"}),
    "bilinear/size_uneven": ((1, 3, 3, 5), {"size": [7, 8], "mode": "bilinear"}),
    "bilinear/size_smaller": ((1, 3, 9, 7), {"size": [4, 3], "mode": "bilinear"}),
    "bilinear/size_same": ((1, 2, 4, 5), {"size": [4, 5], "mode": "bilinear"}, "exact"),
    "bilinear/from_one_pixel": ((1, 3, 1, 1), {"size": [3, 2], "mode": "bilinear"}),
    "bilinear/to_one_pixel": ((1, 3, 4, 6), {"size": [1, 1], "mode": "bilinear"}, "exact"),
    "bilinear_corners/dyadic_steps": (
        (1, 3, 3, 5), {"size": [5, 9], "mode": "bilinear", "align_corners": True}, "exact"),
    "bilinear_corners/size_keeps_the_rows": (
        (1, 2, 4, 5), {"size": [4, 9], "mode": "bilinear", "align_corners": True}, "exact"),
    "bilinear_corners/size_uneven": ((2, 3, 4, 5), {"size": [7, 8], "mode": "bilinear", "align_corners": True}),
    "bilinear_corners/scale2": ((1, 3, 4, 3), {"scale_factor": 2.0, "mode": "bilinear", "align_corners": True}),
    "bilinear_corners/one_row_out": ((1, 2, 4, 5), {"size": [1, 7], "mode": "bilinear", "align_corners": True}),
    "bilinear_corners/size_smaller": ((1, 2, 9, 8), {"size": [4, 3], "mode": "bilinear", "align_corners": True}),
}
SMOKE = {"nearest/scale2", "nearest/size_of_the_tutorial", "bilinear/scale_1.5", "bilinear/scale_keeps_the_rows",
         "bilinear_corners/size_uneven"}


def cases():
    for name, (shape, attributes, *kinds) in GEOMETRIES.items():
        for fill_name in ["random", *kinds]:
            full = f"/upsample2d/{name}/{fill_name}"
            fill = Fill(full)
            x = fill.integers(*shape, limit=256, unit=0.5) if fill_name == "exact" else fill.random(*shape)
            yield Case(full, "upsample2d", attributes, fill_name, ("smoke",) if name in SMOKE else (), inputs={"x": x})
    yield from adversarial()
    yield from refusals()


def adversarial():
    fill = Fill("/upsample2d/adversarial")
    x = fill.random(1, 2, 4, 3)
    special = x.copy()
    special[0, 0, 1, 1], special[0, 1, 0, 2], special[0, 1, 3, 0] = np.nan, np.inf, -np.inf
    with_nan = x.copy()
    with_nan[0, 0, 2, 1] = np.nan
    for name, values, attributes in (
            ("nearest_nan_and_infinities_are_copied", special, {"scale_factor": 3.0}),
            ("nearest_signed_zeros", x * 0 - 0.0, {"size": [5, 4]}),
            ("bilinear_nan_reaches_its_neighbours", with_nan, {"size": [7, 5], "mode": "bilinear"}),
            ("bilinear_denormals", x * 1e-41, {"scale_factor": 2.0, "mode": "bilinear"}),
            ("bilinear_huge", x * 1e37, {"size": [9, 7], "mode": "bilinear"}),
            ("bilinear_constants", x * 0 + 0.1, {"size": [7, 8], "mode": "bilinear", "align_corners": True}),
            ("bilinear_mean_far_above_the_deviation", x + 1e4, {"size": [5, 7], "mode": "bilinear"})):
        yield Case(f"/upsample2d/adversarial/{name}", "upsample2d", attributes, inputs={"x": values.astype(np.float32)})


def refusals():
    fill = Fill("/upsample2d/refuse")
    x = fill.random(1, 2, 4, 3)

    def case(name, category, attributes, x=x, tags=(), accepted=False):
        return Case(f"/upsample2d/refuse/{name}", "upsample2d", attributes, expect_error=category, tags=tags,
                    accepted_by_pytorch=accepted, inputs={"x": x})

    argument = "invalid_argument"
    yield case("neither_size_nor_factor", argument, {}, tags=("smoke",))
    yield case("both_size_and_factor", argument, {"size": [4, 4], "scale_factor": 2.0})
    yield case("size_zero", argument, {"size": [0, 4]})
    yield case("scale_factor_negative", argument, {"scale_factor": -2.0})
    yield case("output_below_one_pixel", argument, {"scale_factor": 0.25})
    yield case("mode_unknown", argument, {"scale_factor": 2.0, "mode": "cubic"})
    yield case("nearest_with_aligned_corners", argument, {"scale_factor": 2.0, "align_corners": True})
    yield case("x_of_rank_two", "shape_mismatch", {"size": [4, 4]}, x=x[0, 0])
    yield case("integer_x", "unsupported_dtype", {"size": [4, 4]}, x=np.arange(12).reshape(1, 1, 4, 3))
