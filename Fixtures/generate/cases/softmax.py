"""softmax and log_softmax over axis 1: shifts, extremes and non-finite logits."""
import numpy as np

from golden_case import Case, Fill

SHAPES = {
    "one_class": (3, 1), "two_classes": (4, 2), "ten_classes": (5, 10), "classes17": (2, 17), "classes33": (3, 33),
    "classes257": (2, 257), "batch_zero": (0, 5), "batch_one": (1, 7), "rank_three": (2, 5, 4),
    "nchw_over_channels": (2, 6, 3, 4),
}
ROWS = {
    "logits_1e4": [[1e4, 0.0, -1e4], [-1e4, -1e4, 9999.0]],
    "logits_1e4_apart_by_one": [[10000.0, 10001.0, 9999.0], [-1e4, -10001.0, -9999.0]],
    "logits_3e38": [[3e38, -3e38, 0.0], [3e38, 3e38, 2.9e38]],
    "minus_infinity": [[1.0, -np.inf, 2.0, 0.5], [-np.inf, 0.0, -np.inf, -1.0]],
    "all_but_one_minus_infinity": [[-np.inf, -5.0, -np.inf]],
    "all_minus_infinity_is_nan": [[-np.inf, -np.inf, -np.inf], [0.0, 1.0, 2.0]],
    "plus_infinity_is_nan": [[np.inf, 0.0, 1.0], [0.5, 1.0, 2.0]],
    "nan_stays_in_its_row": [[0.0, np.nan, 1.0], [0.5, 1.0, 2.0]],
    "equal_logits": [[0.1] * 7, [-50.0] * 7],
    "denormal_logits": [[1e-42, -1e-42, 0.0, -0.0]],
    "differences_near_underflow": [[0.0, -86.0, -88.5, -103.0, -104.0]],
    "differences_of_one_ulp": [[1.0, 1.0000001, 0.99999994, 1.0]],
    "one_class_far_ahead": [[30.0, 1.0, 2.0, -3.0], [0.0, 17.5, -1.0, 0.25]],
}


def cases():
    for operation in ("softmax", "log_softmax"):
        for name, shape in SHAPES.items():
            full = f"/{operation}/{name}/random"
            yield Case(full, operation, {}, "random", ("smoke",) if name == "nchw_over_channels" else (),
                       inputs={"x": Fill(full).random(*shape, scale=2.0)})
        for name, rows in ROWS.items():
            yield Case(f"/{operation}/adversarial/{name}", operation, {}, "adversarial",
                       ("smoke",) if name in ("logits_1e4", "minus_infinity") else (),
                       inputs={"x": np.array(rows, dtype=np.float32)})
        full = f"/{operation}/adversarial/mean_far_above_the_deviation"
        yield Case(full, operation, {}, "adversarial", inputs={"x": Fill(full).random(3, 40, mean=1e4)})
        full = f"/{operation}/adversarial/constants_over_a_thousand_classes"
        yield Case(full, operation, {}, "adversarial", inputs={"x": np.full((1, 1000), 0.3, dtype=np.float32)},
                   sample_above=256)
        yield Case(f"/{operation}/refuse/rank_one_has_no_axis_1", operation, expect_error="shape_mismatch",
                   inputs={"x": np.ones(4, dtype=np.float32)})
        yield Case(f"/{operation}/refuse/integer_x", operation, expect_error="unsupported_dtype", tags=("smoke",),
                   inputs={"x": np.arange(6, dtype=np.int64).reshape(2, 3)})
