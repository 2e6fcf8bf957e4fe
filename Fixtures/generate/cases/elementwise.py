"""identity, dropout (evaluation), flatten and add."""
import numpy as np

from golden_case import Case, Fill

SHAPES = {"vector9": (9,), "matrix": (3, 5), "nchw": (2, 3, 4, 5), "nchw_one_by_one": (3, 17, 1, 1), "empty": (0, 3, 2)}
SPECIAL = {
    "nan": [np.nan, 1.0, -np.nan, 0.5], "infinities": [np.inf, -np.inf, 1.0, 0.0],
    "signed_zeros": [0.0, -0.0, 1.0, -1.0], "denormals": [1e-45, -1e-45, 1.1754942e-38, -3e-40],
    "extremes": [3.4028235e38, -3.4028235e38, 1.1754944e-38, 1.0],
}


def cases():
    for operation in ("identity", "dropout", "flatten"):
        shapes = SHAPES if operation != "flatten" else {
            "matrix_stays": (3, 5), "nchw": (2, 3, 4, 5), "global_pool_output": (4, 33, 1, 1), "rank_five": (2, 1, 3, 2, 5),
            "batch_zero": (0, 3, 4, 2)}
        for name, shape in shapes.items():
            # One fill suffices, since no arithmetic is done; exact finds any misplaced element.
            full = f"/{operation}/{name}/exact"
            yield Case(full, operation, {}, "exact", ("smoke",) if name == "nchw" else (),
                       inputs={"x": Fill(full).integers(*shape, limit=2**22, unit=2.0**-12)})
        full = f"/{operation}/all_24_bits/random"
        yield Case(full, operation, {}, "random", inputs={"x": Fill(full).random(2, 3, 4, 3, scale=100.0)})
        for name, values in SPECIAL.items():
            yield Case(f"/{operation}/adversarial/{name}", operation,
                       inputs={"x": np.array([values], dtype=np.float32)})
    yield Case("/flatten/refuse/rank_zero", "flatten", expect_error="shape_mismatch",
               inputs={"x": np.array(1.0, dtype=np.float32)})
    yield from additions()


def additions():
    for name, shape in SHAPES.items():
        for fill_name in ("exact", "random"):
            full = f"/add/{name}/{fill_name}"
            fill = Fill(full)
            make = (lambda: fill.integers(*shape, limit=2**20, unit=2.0**-8)) if fill_name == "exact" else (
                lambda: fill.random(*shape))
            yield Case(full, "add", {}, fill_name, ("smoke",) if name == "nchw" else (),
                       inputs={"x": make(), "other": make()})
    pairs = {
        "nan_on_either_side": ([np.nan, 1.0, np.nan], [2.0, np.nan, np.nan]),
        "infinities": ([np.inf, np.inf, -np.inf], [np.inf, -np.inf, 1.0]),
        "signed_zeros": ([0.0, -0.0, 0.0, -0.0], [0.0, -0.0, -0.0, 0.0]),
        "denormals_meet": ([1e-45, 1.1754942e-38, -1e-40], [1e-45, 1e-45, 1e-40]),
        "far_apart": ([1e30, 16777216.0, 1.0], [1e-30, 1.0, 5.9604645e-08]),
        "cancels": ([1.0000001, 1e20, -3.25], [-1.0, -1e20, 3.25]),
        "one_ulp_ties": ([16777216.0, 16777218.0], [1.0, 1.0]),
    }
    for name, (x, other) in pairs.items():
        yield Case(f"/add/adversarial/{name}", "add",
                   inputs={"x": np.array(x, dtype=np.float32), "other": np.array(other, dtype=np.float32)})

    def refusal(name, category, x, other, accepted=False):
        return Case(f"/add/refuse/{name}", "add", expect_error=category, accepted_by_pytorch=accepted,
                    inputs={"x": x, "other": other})

    def ones(*shape):
        return np.ones(shape, dtype=np.float32)

    yield refusal("channels_differ", "shape_mismatch", ones(2, 3, 4, 5), ones(2, 4, 4, 5))
    yield refusal("size_differs", "shape_mismatch", ones(2, 3, 4, 5), ones(2, 3, 4, 4))
    yield refusal("would_broadcast_the_channel", "shape_mismatch", ones(2, 3, 4, 5), ones(2, 1, 4, 5), accepted=True)
    yield refusal("would_broadcast_the_rank", "shape_mismatch", ones(2, 3, 4, 5), ones(4, 5), accepted=True)
    yield refusal("integer_other", "unsupported_dtype", ones(2, 3), np.ones((2, 3), dtype=np.int64), accepted=True)
