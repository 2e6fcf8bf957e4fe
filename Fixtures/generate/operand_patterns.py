"""Operands that show what independent random values hide: kernels that skip, flush, clamp or overflow.

The idea is the TOSA specification's (appendix A, "Dot product floating-point test data sets"). What each pattern is,
and why its magnitudes are what they are, is said in Sources/Problems/Exercises/OperandPattern.swift; these are the
same patterns for the golden files.
"""
import math

import numpy as np

from golden_case import Case, Fill

SMALL = 2.0**-21
LARGEST_EXPONENT = 14


def _zeros_mixed_in(draws, part, terms):
    return np.where(np.abs(draws) < 0.5, 0, draws)


def _large_exponents(draws, part, terms):
    largest = 2.0 ** ((116 - math.ceil(math.log2(terms))) // 2)
    return largest * (0.75 + 0.25 * np.abs(draws))


def _small_onto_large(draws, part, terms):
    index = np.indices(draws.shape)
    leading = np.ones(draws.shape, dtype=bool)
    if part == "parameter" and draws.ndim > 1:
        leading = ((index[0] == 0) | (index[1] == 0)) & (index[2:] == 0).all(axis=0)
    elif part == "cotangent":
        leading = (np.delete(index, 1, axis=0) == 0).all(axis=0)
    return (1 + np.abs(draws)) * np.where(leading, 1, SMALL)


def _wide_range(draws, part, terms):
    whole = np.floor((2 * LARGEST_EXPONENT + 1) * np.abs(draws))
    rest = (2 * LARGEST_EXPONENT + 1) * np.abs(draws) - whole
    return np.sign(draws) * (1 + rest) * 2.0 ** (whole - LARGEST_EXPONENT)


PATTERNS = {"zeros_mixed_in": _zeros_mixed_in, "large_exponents": _large_exponents,
            "small_onto_large": _small_onto_large, "wide_range": _wide_range}


def cases(operation, shapes, y_shape):
    """A case for each pattern and each of `shapes`: name → (x shape, weight shape, attributes, terms of the longest sum).

    `y_shape` gives the output's from the first three.
    """
    for pattern, values in PATTERNS.items():
        for name, (x, weight, attributes, terms) in shapes.items():
            full = f"/{operation}/operand_patterns/{pattern}/{name}"
            fill = Fill(full)
            y = y_shape(x, weight, attributes)

            def tensor(shape, part):
                # In steps of 2^-23, below 1, never 0: each pattern's values are then float32.
                draws = fill.rng.integers(1, 2**23, shape) * 2.0**-23 * (fill.rng.integers(0, 2, shape) * 2 - 1)
                return values(draws, part, terms).astype(np.float32)

            # The bias is one more term, and may be the first, which matters beside small ones.
            yield Case(full, operation, attributes, terms=terms + 1, inputs={"x": tensor(x, "input")},
                       parameters={"weight": tensor(weight, "parameter"), "bias": tensor((y[1],), "parameter")},
                       upstream={"y": tensor(y, "cotangent")})
