"""bfloat16: conversions by the definition, and what files hold."""

import os
import tempfile
import unittest
from fractions import Fraction

import h5py
import numpy as np

from assay_engine import bfloat16_of, float32_of, read_case, write_answer
from assay_engine.sixteen_bits import BFLOAT16_IN_HDF5

PATTERNS = np.arange(1 << 16, dtype=np.uint16)
MAGNITUDES = float32_of(np.arange(0x7F80, dtype=np.uint16)).astype(np.float64)
FINITE = PATTERNS[np.isfinite(float32_of(PATTERNS))]


def nearest(value):
    """By the definition: the closest finite value, of two equally close ones the even; infinity half a step beyond."""
    if abs(value) >= Fraction(2) ** 127 * (2 - Fraction(1, 256)):
        return 0x7F80 if value > 0 else 0xFF80
    sign = 0 if value >= 0 else 0x8000
    close = int(np.searchsorted(MAGNITUDES, abs(float(value))))
    candidates = [sign | p for p in range(max(0, close - 2), min(len(MAGNITUDES), close + 2))]
    return min(candidates, key=lambda p: (abs(Fraction(float(float32_of(p))) - value), p & 1))


class Conversions(unittest.TestCase):
    def test_every_pattern_comes_back(self):
        values = float32_of(PATTERNS)
        for kind in (np.float32, np.float64):
            with np.errstate(invalid="ignore"):  # signalling NaN
                back = bfloat16_of(values.astype(kind))
            number = ~np.isnan(values)
            np.testing.assert_array_equal(back[number], PATTERNS[number])
            self.assertTrue(np.isnan(float32_of(back[~number])).all())

    def test_every_boundary_between_neighbours(self):
        positive = FINITE[FINITE < 0x7F7F]
        low, high = (float32_of(positive + step).astype(np.float64) for step in (0, 1))
        middle = (low + high) / 2
        even = positive + (positive & 1)
        for sign, shift in ((1, 0), (-1, 0x8000)):
            np.testing.assert_array_equal(bfloat16_of(sign * middle), even + shift)
            np.testing.assert_array_equal(bfloat16_of((sign * middle).astype(np.float32)), even + shift)
            np.testing.assert_array_equal(bfloat16_of(sign * np.nextafter(middle, np.inf)), positive + 1 + shift)
            np.testing.assert_array_equal(bfloat16_of(sign * np.nextafter(middle, 0)), positive + shift)

    def test_random_values_by_the_definition(self):
        rng = np.random.default_rng(20261126)
        values = rng.standard_normal(3000) * 2.0 ** rng.integers(-140, 128, 3000)
        for value in [*values, 0.0, 3.3961775e38, 3.3895314e38, 3.4028235e38, 1e300, -1e300, 2.0**-134, 1e-310]:
            self.assertEqual(int(bfloat16_of(np.float64(value))), nearest(Fraction(float(value))), value)

    def test_special_values(self):
        values = np.array([np.inf, -np.inf, -0.0, 0.0], dtype=np.float64)
        np.testing.assert_array_equal(bfloat16_of(values), [0x7F80, 0xFF80, 0x8000, 0])
        quiet = np.array([0x7F800001, 0xFFFFFFFF], dtype=np.uint32).view(np.float32)
        self.assertTrue(np.isnan(float32_of(bfloat16_of(quiet))).all())


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "case.h5")

    def exchanged(self):
        """A case with every type, bfloat16 in both forms and byte orders."""
        big = h5py.h5t.IEEE_F16BE.copy()
        big.set_fields(15, 7, 8, 0, 7)
        big.set_ebias(127)
        with h5py.File(self.path, "w") as file:
            case = file.create_group("case")
            case.attrs["operation"] = "custom"
            inputs = case.create_group("inputs")
            inputs["float64"], inputs["float32"] = np.float64([1.5, -2]), np.float32([1.5, -2])
            inputs["float16"], inputs["integer"] = np.float16([1.5, 6e-8]), np.int64([1, -7])
            inputs["short"] = np.uint16([3, 65535])
            inputs["bits"] = PATTERNS
            inputs["bits"].attrs["bfloat16"] = 1
            inputs["unmarked"] = np.uint16([0x3FC0])
            inputs["unmarked"].attrs["bfloat16"] = 0
            data = inputs.create_dataset("big", shape=PATTERNS.shape, dtype=h5py.Datatype(big))
            data.id.write(h5py.h5s.ALL, h5py.h5s.ALL, PATTERNS, mtype=BFLOAT16_IN_HDF5)
        return read_case(self.path, "/case", "bfloat16").inputs

    def test_types_that_are_read(self):
        found = self.exchanged()
        kinds = {name: value.dtype for name, value in found.items()}
        self.assertEqual(kinds, {
            "float64": np.float64, "float32": np.float32, "float16": np.float16, "integer": np.int64,
            "short": np.int64, "bits": np.uint16, "unmarked": np.int64, "big": np.uint16})
        np.testing.assert_array_equal(found["bits"], PATTERNS)
        np.testing.assert_array_equal(found["big"], PATTERNS)

    def test_bfloat16_is_written_as_a_float(self):
        tensors = {"scalar": np.uint16(0x3FC0), "empty": np.empty((0, 3), np.uint16), "all": PATTERNS}
        for name, patterns in tensors.items():
            with self.subTest(name):
                write_answer(self.path, "/case", {"outputs": {"y": patterns}})
                with h5py.File(self.path, "r+") as file:
                    file["case"].attrs["operation"] = "custom"
                    file.move("case/outputs", "case/inputs")
                    data = file["case/inputs/y"]
                    self.assertEqual(data.id.get_type().get_class(), h5py.h5t.FLOAT)
                    np.testing.assert_array_equal(data[()], float32_of(patterns))
                again = read_case(self.path, "/case", "bfloat16").inputs["y"]
                np.testing.assert_array_equal(again, patterns)
                self.assertEqual(again.shape, np.shape(patterns))


if __name__ == "__main__":
    unittest.main()
