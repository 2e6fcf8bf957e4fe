"""gelu by the error function and by tanh: both tails, values around zero, extremes, vector tails and refusals."""
import numpy as np

from golden_case import ELEMENTWISE_SHAPES, Case, Fill

FORMS = ("none", "tanh")
VALUES = {
    "signed_zeros": [0.0, -0.0, 1.0, -1.0],
    "nan_stays_nan": [np.nan, -np.nan, 1.0, -1.0, np.nan],
    "plus_infinity_has_no_gradient": [np.inf, 1.0, -1.0],
    "minus_infinity_is_nan": [-np.inf, 1.0, -1.0],
    "denormals": [1e-45, -1e-45, 1.1754942e-38, -1.1754942e-38, 1.1754944e-38, 3e-40],
    "tiny": [1e-30, -1e-30, 1e-10, -1e-10, 1e-4, -1e-4],
    "huge": [1e4, -1e4, 1e3, -1e3, 50.0, -50.0, 1e12, -1e12],
    # The erf form: what is left of 1 + erf; the tanh form: of 1 + tanh.
    "negative_tail": [-3.0, -4.0, -5.0, -5.5, -6.0, -7.0, -8.0, -8.25, -9.0, -10.0, -12.0, -14.0],
    "positive_tail": [3.0, 4.0, 5.0, 5.5, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0],
    "around_the_minimum": list(-0.7518 + np.linspace(-0.01, 0.01, 17)),
    "around_zero_in_a_long_row": list(np.linspace(-1e-3, 1e-3, 67)),
    "grid_from_minus_8_to_8": list(np.linspace(-8, 8, 515)),
    "nan_in_a_vector_tail": [*np.linspace(-2, 2, 16), np.nan],
}
# Results that PyTorch itself has in float64 alone.
BEYOND_FLOAT32 = {
    # (1 + erf)·x is beyond float32 before it is halved.
    "none": {"largest": [3.4028235e38, -3.4028235e38, 2e38, -2e38]},
    # x² in the derivative of tanh's argument is beyond float32, where what multiplies it is 0.
    "tanh": {"cube_overflows_float32": [1e13, -1e13, 5e18, -5e18],
             "square_overflows_float32": [1e20, -1e20, 3.4028235e38, -3.4028235e38]},
}


def cases():
    for form in FORMS:
        for name, shape in ELEMENTWISE_SHAPES.items():
            full = f"/gelu/{form}/{name}/random"
            yield Case(full, "gelu", {"approximate": form}, "random", ("smoke",) if name == "vector211" else (),
                       inputs={"x": Fill(full).random(*shape, scale=1.5)}, sample_above=8192)
        for name, numbers in {**VALUES, **BEYOND_FLOAT32[form]}.items():
            yield Case(f"/gelu/{form}/adversarial/{name}", "gelu", {"approximate": form},
                       tags=("smoke",) if name in ("negative_tail", "nan_stays_nan") else (),
                       inputs={"x": np.array(numbers, dtype=np.float32)})
    yield Case("/gelu/default_is_the_error_function/random", "gelu", {}, "random",
               inputs={"x": Fill("/gelu/default").random(2, 3, 5, 7, scale=2.0)})
    x = Fill("/gelu/refuse").random(2, 3)
    for name in ("erf", ""):
        yield Case(f"/gelu/refuse/approximate_{name or 'empty'}", "gelu", {"approximate": name},
                   expect_error="invalid_argument", inputs={"x": x}, tags=("smoke",) if name else ())
    yield Case("/gelu/refuse/integer_x", "gelu", expect_error="unsupported_dtype",
               inputs={"x": np.arange(6, dtype=np.int64).reshape(2, 3)})
