"""`assay.check`: the verdict inside a test, by the command that ASSAY names or that is on the PATH."""

import os
import shutil
import unittest
from unittest import mock

import numpy as np

import assay_engine as assay
from assay_engine.checking import CheckUnavailable

PROBLEM = "conv2d n1c3h8w8 k4r3s3 stride1 pad1"


def operands(seed=1, dtype=np.float32):
    random = np.random.default_rng(seed)
    return {
        "x": random.standard_normal((1, 3, 8, 8)).astype(np.float32).astype(dtype),
        "weight": random.standard_normal((4, 3, 3, 3)).astype(np.float32).astype(dtype)}


def convolution(x, weight):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    return np.einsum("nchwrs,kcrs->nkhw", windows, weight)


class WithoutTheCommand(unittest.TestCase):
    def test_a_missing_command_is_no_verdict(self):
        for variables in ({"PATH": ""}, {"ASSAY": "/no/such/assay"}):
            with self.subTest(variables), mock.patch.dict(os.environ, variables):
                if "PATH" in variables:
                    os.environ.pop("ASSAY", None)
                with self.assertRaises(CheckUnavailable):
                    assay.check(np.zeros(3, np.float32), "relu shape3", {"x": np.zeros(3, np.float32)})


@unittest.skipUnless(os.environ.get("ASSAY") or shutil.which("assay"), "no assay: build it, and name it in ASSAY")
class Check(unittest.TestCase):
    def test_right_results_pass_in_every_type(self):
        for dtype in (np.float32, np.float64, np.float16):
            with self.subTest(dtype):
                given = {name: value.astype(np.float16).astype(dtype) for name, value in operands().items()}
                wide = {name: value.astype(np.float64) for name, value in given.items()}
                assay.check(convolution(**wide).astype(dtype), PROBLEM, given)
        given = {name: assay.bfloat16_of(value) for name, value in operands().items()}
        y = convolution(**{name: assay.float32_of(value) for name, value in given.items()})
        assay.check(assay.bfloat16_of(y), PROBLEM, given)

    def test_the_worst_element_is_named(self):
        given = operands()
        y = convolution(**given)
        y[0, 2, 5, 1] += 0.5
        with self.assertRaises(AssertionError) as caught:
            assay.check(y, PROBLEM, given)
        text = str(caught.exception)
        self.assertIn(f"{PROBLEM} (float32): FAIL", text)
        self.assertIn("outputs/y[0,2,5,1]: expected ", text)
        self.assertIn(f"found {float(y[0, 2, 5, 1])}", text)
        self.assertIn("1 of 256 elements fail", text)

    def test_half_precision_is_not_taken_for_float32(self):
        given = operands()
        rounded = {name: value.astype(np.float16).astype(np.float32) for name, value in given.items()}
        with self.assertRaises(AssertionError):
            assay.check(convolution(**rounded), PROBLEM, given, fill="random")

    def test_a_wrong_shape_fails(self):
        with self.assertRaisesRegex(AssertionError, "outputs/y"):
            assay.check(convolution(**operands())[:, :3], PROBLEM, operands())

    def test_gradients_under_a_cotangent(self):
        x, dy = np.float32([[-1, 2, 3]]), np.float32([[5, 6, 7]])
        gradient = np.where(x > 0, dy, 0).astype(np.float32)
        assay.check({"y": np.maximum(x, 0), "gradients/x": gradient}, "relu n1c3", {"x": x}, upstream=dy)
        with self.assertRaisesRegex(AssertionError, r"gradients/x\[0,1\]: expected 6, found 7"):
            assay.check({"gradients/x": gradient + np.float32([[0, 1, 0]])}, "relu n1c3", {"x": x}, upstream=dy)

    def test_labels_and_other_outputs(self):
        x, target = np.float32([[1, 2, 0], [0, 0, 1]]), np.int64([1, 0])
        wide = x.astype(np.float64)
        losses = np.log(np.exp(wide).sum(1)) - wide[[0, 1], target]
        assay.check(np.float32(losses.mean()), "cross_entropy n2c3", {"x": x, "target": target})

    def test_what_is_no_question_is_a_value_error(self):
        given = operands()
        y = convolution(**given)
        wrong = {
            "a word that is no attribute": lambda: assay.check(y, PROBLEM.replace("stride", "stried"), given),
            "an operation that is not known": lambda: assay.check(y, "convolve n1", given),
            "no text": lambda: assay.check(y, " ", given),
            "a missing operand": lambda: assay.check(y, PROBLEM, {"x": given["x"]}),
            "one too many": lambda: assay.check(y, PROBLEM, given | {"bias": np.zeros(4, np.float32)}),
            "another shape": lambda: assay.check(y, PROBLEM, given | {"x": given["x"][:, :, 1:]}),
            "float64 that float32 lacks": lambda: assay.check(y, PROBLEM, given | {"x": given["x"] * np.float64(0.1)}),
            "an output that it has not": lambda: assay.check({"z": y}, PROBLEM, given),
            "integers alone": lambda: assay.check(y.astype(np.int64), PROBLEM, given),
            "operands without a result": lambda: assay.check(
                np.float32(1), "cross_entropy n2c3", {"x": np.zeros((2, 3), np.float32), "target": np.int64([7, 0])}),
        }
        for name, ask in wrong.items():
            with self.subTest(name), self.assertRaises(ValueError) as caught:
                ask()
            self.assertNotEqual(str(caught.exception), "", name)
