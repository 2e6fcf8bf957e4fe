"""relu: signed zeros, NaN, infinities and denormals."""
import numpy as np

from golden_case import Case, Fill

SHAPES = {
    "one_element": (1,), "scalar_rank_zero": (), "vector17": (17,), "matrix": (5, 9), "nchw": (2, 3, 5, 7),
    "rank_five": (2, 1, 3, 2, 5), "empty": (0, 4),
}


def cases():
    for name, shape in SHAPES.items():
        for fill_name in ("exact", "random"):
            full = f"/relu/shape/{name}/{fill_name}"
            fill = Fill(full)
            x = fill.integers(*shape, limit=2**20, unit=2.0**-10) if fill_name == "exact" else fill.random(*shape)
            yield Case(full, "relu", {}, fill_name, ("smoke",) if name == "nchw" else (), inputs={"x": x})
    values = {
        "signed_zeros": [0.0, -0.0, 1.0, -1.0],
        "nan_stays_nan": [np.nan, -np.nan, 1.0, -1.0, np.nan],
        "infinities": [np.inf, -np.inf, 0.0],
        "denormals": [1e-45, -1e-45, 1.1754942e-38, -1.1754942e-38, 1.1754944e-38],
        "extremes": [3.4028235e38, -3.4028235e38, 1e-30, -1e-30],
        "all_negative": [-1.5, -2.25, -1e-3, -7.0, -0.5],
        "around_zero_in_a_long_row": list(np.linspace(-4, 4, 65) * 2.0**-149 * 16),
        "all_zero_has_no_gradient": [0.0] * 9,
        "nan_in_a_vector_tail": [1.0, -2.0, 3.0, -4.0, 5.0, -6.0, 7.0, -8.0, np.nan],
    }
    for name, numbers in values.items():
        yield Case(f"/relu/adversarial/{name}", "relu", tags=("smoke",) if name.startswith(("nan_stays", "signed")) else (),
                   inputs={"x": np.array(numbers, dtype=np.float32)})
