"""scaled_add, x + alpha·other: exact and rounded factors, cancellation, non-finite values, tails and refusals."""
import numpy as np

from golden_case import ELEMENTWISE_SHAPES, Case, Fill

# Every product and sum with these is exact.
DYADIC = {"alpha_zero": 0.0, "alpha_one": 1.0, "alpha_minus_one": -1.0, "alpha_half": 0.5, "alpha_minus_two": -2.0,
          "alpha_three": 3.0, "alpha_2_to_the_minus_10": 2.0**-10}
ROUNDED = {"alpha_tenth": 0.1, "alpha_minus_third": -1 / 3, "alpha_1e-3": 1e-3, "alpha_pi": 3.141592653589793}
# alpha, x, other
VALUES = {
    "nan_on_either_side": (0.5, [np.nan, 1.0, np.nan], [2.0, np.nan, np.nan]),
    "infinities": (0.5, [np.inf, np.inf, -np.inf, 1.0], [np.inf, -np.inf, 1.0, -np.inf]),
    "infinities_and_a_negative_factor": (-2.0, [np.inf, np.inf, -np.inf], [np.inf, -np.inf, 1.0]),
    "zero_times_infinity_is_nan": (0.0, [1.0, 2.0, 3.0, 4.0], [np.inf, -np.inf, np.nan, 5.0]),
    "alpha_infinite": (np.inf, [1.0, 2.0, -np.inf, 3.0], [1.0, -1.0, 1.0, 0.0]),
    "alpha_nan": (np.nan, [1.0, 2.0, 3.0], [1.0, 0.0, -1.0]),
    "alpha_negative_zero": (-0.0, [0.0, -0.0, 1.0], [1.0, 1.0, -1.0]),
    "signed_zeros": (1.0, [0.0, -0.0, 0.0, -0.0], [0.0, -0.0, -0.0, 0.0]),
    "denormals_meet": (0.5, [1e-45, 1.1754942e-38, -1e-40], [4e-45, 1e-44, 2e-40]),
    "denormal_products": (1e-30, [0.0, 1e-44, -3e-42], [1e-12, 3e-14, 2e-11]),
    "far_apart": (0.1, [1e30, 16777216.0, 1.0], [1e-30, 1.0, 5.9604645e-08]),
    "large_factor_small_other": (1e30, [1.0, -2.0, 0.5], [1e-30, 3e-30, -2e-31]),
    "small_factor_large_other": (1e-30, [1.0, -2.0, 0.5], [1e30, 3e30, -2e29]),
    # A fused multiply-add leaves the product's rounding, two operations leave nothing.
    "cancels_to_the_rounding": (0.1, [-0.1, -0.3, -0.7, -1.1], [1.0, 3.0, 7.0, 11.0]),
    "cancels_exactly": (-0.5, [1.5, 1e20, -3.25], [3.0, 2e20, -6.5]),
    "one_ulp_ties": (0.5, [16777216.0, 16777218.0], [2.0, 2.0]),
    "constants": (0.2, [0.1] * 19, [0.3] * 19),
    "largest": (0.5, [3.4028235e38, -3.4028235e38, 1e38], [-3.4028235e38, 3.4028235e38, 1e38]),
    "nan_in_a_vector_tail": (0.1, [1.0] * 16 + [np.nan], [2.0] * 17),
}


def cases():
    for name, shape in ELEMENTWISE_SHAPES.items():
        full = f"/scaled_add/{name}/exact"
        fill = Fill(full)
        yield Case(full, "scaled_add", {"alpha": 0.5}, "exact", ("smoke",) if name == "vector211" else (),
                   inputs={"x": fill.integers(*shape, limit=2**12, unit=2.0**-8),
                           "other": fill.integers(*shape, limit=2**12, unit=2.0**-8)}, sample_above=8192)
        full = f"/scaled_add/{name}/random"
        fill = Fill(full)
        yield Case(full, "scaled_add", {"alpha": 0.1}, "random", ("smoke",) if name == "vector211" else (),
                   inputs={"x": fill.random(*shape), "other": fill.random(*shape)}, sample_above=8192)
    for factors, kinds in ((DYADIC, ("exact", "random")), (ROUNDED, ("random",))):
        for name, alpha in factors.items():
            for fill_name in kinds:
                full = f"/scaled_add/{name}/{fill_name}"
                fill = Fill(full)
                make = (lambda: fill.integers(2, 3, 5, 7, limit=2**10, unit=2.0**-4)) if fill_name == "exact" else (
                    lambda: fill.random(2, 3, 5, 7, scale=4.0))
                yield Case(full, "scaled_add", {"alpha": alpha}, fill_name, inputs={"x": make(), "other": make()})
    fill = Fill("/scaled_add/default")
    yield Case("/scaled_add/default_adds/exact", "scaled_add", {}, "exact",
               inputs={"x": fill.integers(3, 5, limit=2**10), "other": fill.integers(3, 5, limit=2**10)})
    for name, (alpha, x, other) in VALUES.items():
        yield Case(f"/scaled_add/adversarial/{name}", "scaled_add", {"alpha": alpha},
                   tags=("smoke",) if name in ("infinities", "cancels_to_the_rounding") else (),
                   inputs={"x": np.array(x, dtype=np.float32), "other": np.array(other, dtype=np.float32)})
    yield from refusals()


def refusals():
    def refusal(name, category, x, other, accepted=False, tags=()):
        return Case(f"/scaled_add/refuse/{name}", "scaled_add", {"alpha": 0.5}, expect_error=category, tags=tags,
                    accepted_by_pytorch=accepted, inputs={"x": x, "other": other})

    def ones(*shape):
        return np.ones(shape, dtype=np.float32)

    yield refusal("channels_differ", "shape_mismatch", ones(2, 3, 4, 5), ones(2, 4, 4, 5), tags=("smoke",))
    yield refusal("size_differs", "shape_mismatch", ones(2, 3, 4, 5), ones(2, 3, 4, 4))
    yield refusal("would_broadcast_the_channel", "shape_mismatch", ones(2, 3, 4, 5), ones(2, 1, 4, 5), accepted=True)
    yield refusal("would_broadcast_the_rank", "shape_mismatch", ones(2, 3, 4, 5), ones(4, 5), accepted=True)
    yield refusal("integer_other", "unsupported_dtype", ones(2, 3), np.ones((2, 3), dtype=np.int64), accepted=True)
    yield refusal("integers_throughout", "unsupported_dtype", np.ones((2, 3), dtype=np.int64),
                  np.ones((2, 3), dtype=np.int64))
