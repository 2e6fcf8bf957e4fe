"""silu: both tails, values around zero, extremes, vector tails and refusals."""
import numpy as np

from golden_case import ELEMENTWISE_SHAPES, Case, Fill

VALUES = {
    "signed_zeros": [0.0, -0.0, 1.0, -1.0],
    "nan_stays_nan": [np.nan, -np.nan, 1.0, -1.0, np.nan],
    "plus_infinity_has_no_gradient": [np.inf, 1.0, -1.0],
    "minus_infinity_is_nan": [-np.inf, 1.0, -1.0],
    "denormals": [1e-45, -1e-45, 1.1754942e-38, -1.1754942e-38, 1.1754944e-38, 3e-40],
    "tiny": [1e-30, -1e-30, 1e-10, -1e-10, 1e-4, -1e-4],
    "huge": [1e4, -1e4, 1e3, -1e3, 1e12, -1e12],
    "largest": [3.4028235e38, -3.4028235e38, 1e30, -1e30],
    "negative_tail": [-5.0, -10.0, -14.0, -20.0, -40.0, -60.0, -80.0, -86.0, -88.0],
    # e^-x is beyond float32 here, and x/(1 + e^-x) then a zero, though the result is not yet denormal.
    "exponential_overflows_float32": [-88.75, -89.0, -90.0, -92.0, -95.0, -100.0, -103.0, -104.5, -120.0],
    "positive_tail": [5.0, 10.0, 14.0, 20.0, 40.0, 80.0, 90.0, 100.0],
    "around_the_minimum": list(-1.2785 + np.linspace(-0.01, 0.01, 17)),
    "around_zero_in_a_long_row": list(np.linspace(-1e-3, 1e-3, 67)),
    "grid_from_minus_20_to_20": list(np.linspace(-20, 20, 515)),
    "nan_in_a_vector_tail": [*np.linspace(-2, 2, 16), np.nan],
}


def cases():
    for name, shape in ELEMENTWISE_SHAPES.items():
        full = f"/silu/{name}/random"
        yield Case(full, "silu", {}, "random", ("smoke",) if name == "vector211" else (),
                   inputs={"x": Fill(full).random(*shape, scale=2.0)}, sample_above=8192)
    for name, numbers in VALUES.items():
        tags = ("smoke",) if name in ("negative_tail", "nan_stays_nan") else ()
        yield Case(f"/silu/adversarial/{name}", "silu", tags=tags,
                   inputs={"x": np.array(numbers, dtype=np.float32)})
    yield Case("/silu/refuse/integer_x", "silu", expect_error="unsupported_dtype", tags=("smoke",),
               inputs={"x": np.arange(6, dtype=np.int64).reshape(2, 3)})
