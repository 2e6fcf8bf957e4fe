"""A case before its expected values are known, and the three kinds of fill."""
import zlib
from dataclasses import dataclass, field

import numpy as np

from assay_golden import BFloat16, Procedural

SEED = 20261121
# One element, tails of 1 to 15 after vectors of 8 and 16, a few thousand elements, none.
ELEMENTWISE_SHAPES = {
    "one_element": (1,), "scalar_rank_zero": (), "vector7": (7,), "vector211": (211,), "matrix_16x16": (16, 16),
    "matrix_7x37": (7, 37), "nchw_512": (2, 8, 4, 8), "plane_3x341": (3, 341), "rank_three_1025": (5, 5, 41),
    "nchw_2046": (2, 3, 11, 31), "rank_five": (2, 1, 3, 2, 5), "vector4099": (4099,), "empty": (0, 3, 2),
}


@dataclass
class Case:
    """What a generator states; the oracle adds `outputs`, `buffers_after`, `upstream` and `gradients`."""

    name: str
    operation: str
    attributes: dict = field(default_factory=dict)
    fill: str = "adversarial"
    tags: tuple = ()
    expect_error: str | None = None
    inputs: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    buffers: dict = field(default_factory=dict)
    # Given cotangents replace the drawn ones.
    upstream: dict | None = None
    # Drawn ones are recipes from -2 to 2, which take no room.
    cotangents_are_recipes: bool = False
    differentiate: bool = True
    # PyTorch computes something where Assay's contract refuses; ../README.md says why for each.
    accepted_by_pytorch: bool = False
    # Expected tensors with more elements are sampled.
    sample_above: int = 4096
    samples: int = 256
    # Terms of the longest sum, where the two producers' orders of summation may differ by more than the bound of one.
    terms: int | None = None
    output_samples: int | None = None


def array(value):
    """The numbers of an input, whichever way it is stored."""
    return value.array() if isinstance(value, (Procedural, BFloat16)) else np.asarray(value)


class Fill:
    """Seeded random tensors; the seed follows from the case's name, so that new cases leave the others alone."""

    def __init__(self, name):
        self.seed = zlib.crc32(name.encode()) ^ SEED
        self.rng = np.random.Generator(np.random.PCG64(self.seed))

    def random(self, *shape, scale=1.0, mean=0.0):
        """Normal values, rounded to float32: all 24 bits of the significand are used."""
        return (mean + scale * self.rng.standard_normal(shape)).astype(np.float32)

    def uniform(self, *shape, low=0.0, high=1.0):
        return self.rng.uniform(low, high, shape).astype(np.float32)

    def integers(self, *shape, limit=8, unit=1.0):
        """Non-zero multiples of `unit` up to `limit` units: zero would hide a wrong index."""
        magnitude = self.rng.integers(1, limit + 1, shape)
        sign = self.rng.integers(0, 2, shape) * 2 - 1
        return (magnitude * sign * unit).astype(np.float32)

    def cotangent(self, shape, dyadic=False):
        """Random signs and magnitudes in [1, 2], never ones throughout; `dyadic` draws them from multiples of 1/8."""
        sign = self.rng.integers(0, 2, shape) * 2 - 1
        if dyadic:
            magnitude = 1 + self.rng.integers(0, 9, shape) / 8
        else:
            magnitude = 1 + self.rng.random(shape)
        return (sign * magnitude).astype(np.float32)

    def procedural(self, *shape, low=-1.0, high=1.0):
        return Procedural(shape, int(self.rng.integers(1, 2**62)), low, high)
