"""adaptive_avg_pool2d: uneven windows, outputs larger than the input, the global mean."""
import numpy as np

from golden_case import Case, Fill

GEOMETRIES = {
    "seven_to_three": ((2, 3, 7, 7), 3),
    "uneven_both_axes": ((2, 3, 7, 10), [3, 4]),
    "overlapping_windows": ((1, 2, 5, 8), [4, 5]),
    "output_larger_than_input": ((2, 3, 3, 2), [7, 5]),
    "larger_in_height_smaller_in_width": ((1, 3, 2, 9), [3, 4]),
    "global": ((2, 17, 7, 5), 1),
    "global_resnet_at_224": ((1, 33, 7, 7), 1),
    "global_of_one_pixel": ((3, 5, 1, 1), 1),
    "one_row_out": ((2, 3, 6, 5), [1, 5]),
    "prime_extents": ((1, 2, 13, 11), [5, 7]),
    "batch_zero": ((0, 3, 6, 5), 2),
}
# Every window has a power of two of elements.
EXACT = {
    "same_size_copies": ((2, 3, 4, 5), [4, 5]), "even_division": ((2, 3, 8, 4), [4, 2]),
    "global_of_16": ((2, 5, 4, 4), 1), "global_of_8x2": ((2, 3, 8, 2), 1), "doubling": ((1, 3, 2, 3), [4, 6]),
}


def cases():
    for name, (shape, size) in (GEOMETRIES | EXACT).items():
        for fill_name in ["random"] + ["exact"] * (name in EXACT):
            full = f"/adaptive_avg_pool2d/{name}/{fill_name}"
            fill = Fill(full)
            x = fill.integers(*shape, limit=1024, unit=0.125) if fill_name == "exact" else fill.random(*shape)
            smoke = name in ("seven_to_three", "output_larger_than_input", "global_of_16")
            yield Case(full, "adaptive_avg_pool2d", {"output_size": size}, fill_name, ("smoke",) if smoke else (),
                       inputs={"x": x})
    fill = Fill("/adaptive_avg_pool2d/adversarial")
    x = fill.random(1, 2, 7, 5)
    with_nan, infinite = x.copy(), x.copy()
    with_nan[0, 1, 3, 2] = np.nan
    infinite[0, 0, 0, 0], infinite[0, 0, 6, 4] = np.inf, -np.inf
    for name, values, size in (
            ("nan_reaches_every_window_that_holds_it", with_nan, [3, 2]), ("opposite_infinities_in_the_mean", infinite, 1),
            ("constants", np.full((1, 2, 7, 7), 0.1), 1), ("denormals", x * 1e-41, [3, 3]),
            ("huge", x * 1e36, [2, 3]), ("mean_far_above_the_deviation", x + 1e4, 1)):
        yield Case(f"/adaptive_avg_pool2d/adversarial/{name}", "adaptive_avg_pool2d", {"output_size": size},
                   inputs={"x": values.astype(np.float32)})

    def refusal(name, category, size, x, tags=()):
        return Case(f"/adaptive_avg_pool2d/refuse/{name}", "adaptive_avg_pool2d", {"output_size": size},
                    expect_error=category, tags=tags, inputs={"x": x})

    yield refusal("output_size_negative", "invalid_argument", [-1, 2], x, tags=("smoke",))
    yield refusal("x_of_rank_two", "shape_mismatch", [2, 2], x[0, 0])
    yield refusal("integer_x", "unsupported_dtype", 1, np.arange(30).reshape(1, 1, 5, 6))
