"""Decorated functions: what they are given, what they may return, and what is refused for them."""

import contextlib
import io

import numpy as np

from assay_engine import BFloat16, Refused, Unsupported, bfloat16_of, float32_of
from assay_engine.functions import FunctionEngine, Functions, Shape

from .support import Dialogue, Folder

X = np.float32([[-1, 2], [3, -4]])
IMAGE = np.ones((1, 2, 6, 6), np.float32)
CONVOLUTION = {"inputs": {"x": IMAGE}, "parameters": {"weight": np.ones((2, 2, 3, 3), np.float32)}}


def engine(forward=None, backward=None, prepare=None, **description):
    functions = Functions()
    functions.forward.update(forward or {})
    functions.backward.update(backward or {})
    functions.prepare.update(prepare or {})
    return FunctionEngine(functions, **description)


class Foreign:
    """An array of a framework that has nothing but DLPack, as NumPy exports it."""

    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __dlpack__(self, **keywords):
        return self.array.__dlpack__()


class DecoratedFunctions(Folder):
    def dialogue(self, **engines):
        return Dialogue(engine(**engines), self.folder)

    def answer(self, function, operation="relu", groups=None, **more):
        dialogue = self.dialogue(forward={operation: function}, dtypes=("float32", "bfloat16"))
        reply, answer = dialogue.compute(operation, groups or {"inputs": {"x": X}}, **more)
        self.assertEqual(reply.get("result"), {}, reply)
        return answer

    def failing(self, function, operation="relu", groups=None, **more):
        dialogue = self.dialogue(forward={operation: function})
        with contextlib.redirect_stderr(io.StringIO()):
            return dialogue.compute(operation, groups or {"inputs": {"x": X}}, **more)[0]

    def test_attributes_are_keywords_with_their_defaults(self):
        found = {}

        def conv2d(x, weight, **attributes):
            found.update(attributes)
            return x

        self.answer(conv2d, "conv2d", CONVOLUTION, attributes={"dilation": [1, 3], "padding": "same"})
        self.assertEqual(found, {"stride": (1, 1), "padding": "same", "dilation": (1, 3), "groups": 1})
        image = {"inputs": {"x": IMAGE}}
        self.answer(lambda x, **a: found.update(a) or x, "max_pool2d", image, attributes={"kernel_size": [3, 2]})
        self.assertEqual((found["kernel_size"], found["stride"], found["ceil_mode"]), ((3, 2), (3, 2), False))
        self.answer(lambda x, **a: found.update(a) or x, "upsample2d", image, attributes={"scale_factor": 2})
        self.assertEqual((found["size"], found["scale_factor"], found["mode"]), (None, (2.0, 2.0), "nearest"))

    def test_an_operation_of_ones_own_has_its_attributes_as_they_are(self):
        found = {}
        self.answer(lambda x, **a: found.update(a) or x, "shrink", attributes={"by": 0.5, "how": "hard"})
        self.assertEqual(found, {"by": 0.5, "how": "hard"})

    def test_what_a_function_does_not_take_is_not_supported(self):
        def conv2d(x, weight, *, stride):
            return x

        self.answer(conv2d, "conv2d", CONVOLUTION, attributes={"stride": 2, "padding": 0, "groups": 1})
        grouped = {**CONVOLUTION, "parameters": {"weight": np.ones((2, 1, 3, 3), np.float32)}}
        asked = (("groups", 2, grouped), ("padding", 1, CONVOLUTION), ("dilation", [1, 2], CONVOLUTION))
        for name, value, groups in asked:
            with self.subTest(name):
                self.assertIn(name, self.failing(conv2d, "conv2d", groups, attributes={name: value})["unsupported"])
        biased = {**CONVOLUTION, "parameters": {**CONVOLUTION["parameters"], "bias": np.ones(2, np.float32)}}
        self.assertIn("bias", self.failing(conv2d, "conv2d", biased)["unsupported"])

    def test_a_missing_attribute_is_refused(self):
        reply = self.failing(lambda x, **_: x, "max_pool2d", {"inputs": {"x": IMAGE}})
        self.assertEqual(reply["error"]["category"], "invalid_argument")

    def test_refusals_and_failures_are_told_apart(self):
        def raising(error):
            def relu(x):
                raise error

            return relu

        self.assertEqual(
            self.failing(raising(Refused("index_out_of_range", "7 of 5")))["error"],
            {"category": "index_out_of_range", "message": "7 of 5"})
        self.assertEqual(self.failing(raising(Unsupported("not today")))["unsupported"], "not today")
        self.assertEqual(
            self.failing(raising(KeyError("size")))["error"], {"category": "internal", "message": "KeyError: 'size'"})

    def test_outputs_by_name_and_buffers_afterwards(self):
        groups = {"inputs": {"x": IMAGE}, "buffers": {"running_mean": np.float32([1, 2])}}
        answer = self.answer(
            lambda x, running_mean, **_: {"y": 2 * x, "running_mean": running_mean + 1}, "batch_norm2d", groups)
        np.testing.assert_array_equal(answer["outputs"]["y"], 2 * IMAGE)
        np.testing.assert_array_equal(answer["buffers_after"]["running_mean"], [2, 3])
        labelled = {"inputs": {"x": X, "target": np.int64([0, 1])}}
        answer = self.answer(lambda x, target: np.float32(3), "cross_entropy", labelled)
        self.assertEqual(answer["outputs"]["loss"].shape, ())

    def test_results_of_other_frameworks(self):
        results = {
            "float32": (Foreign(X), np.float32), "float64": (Foreign(X.astype(np.float64)), np.float64),
            "not contiguous": (Foreign(np.float32([[-1, 3], [2, -4]]).T), np.float32),
            "int32": (Foreign(X.astype(np.int32)), np.int64), "list": (X.tolist(), np.float64),
            "bfloat16": (BFloat16(bfloat16_of(X)), np.uint16),
            "bfloat16 through DLPack": (Foreign(BFloat16(bfloat16_of(X))), np.uint16),
        }
        for name, (result, dtype) in results.items():
            with self.subTest(name):
                y = self.answer(lambda x, result=result: result)["outputs"]["y"]
                self.assertEqual(y.dtype, dtype)
                np.testing.assert_array_equal(float32_of(y) if dtype == np.uint16 else y, X)

    def test_bfloat16_operands(self):
        def relu(x):
            self.assertEqual((x.dtype, x.shape, x.ndim), ("bfloat16", (2, 2), 2))
            return bfloat16_of(np.maximum(np.asarray(x), 0))

        answer = self.answer(relu, groups={"inputs": {"x": bfloat16_of(X)}}, dtype="bfloat16")
        np.testing.assert_array_equal(answer["outputs"]["y"], bfloat16_of(np.maximum(X, 0)))

    def test_gradients_and_what_is_wanted(self):
        asked = []

        def linear_backward(dy, x, weight, *, wanted=("x", "weight")):
            asked.append(wanted)
            return {name: {"x": lambda: dy @ weight, "weight": lambda: dy.T @ x}[name]() for name in wanted}

        dialogue = self.dialogue(
            forward={"linear": lambda x, weight: x @ weight.T}, backward={"linear": linear_backward})
        self.assertEqual(dialogue.description["passes"], ["forward", "backward"])
        weight, dy = np.float32([[1, 2], [3, 4], [5, 6]]), np.float32([[1, 0, 2], [0, 1, 0]])
        groups = {"inputs": {"x": X}, "parameters": {"weight": weight}, "upstream": {"y": dy}}
        _, answer = dialogue.compute("linear", groups, passes=("forward", "backward"))
        self.assertEqual(answer["gradients"].keys(), {"x", "weight"})
        _, answer = dialogue.compute("linear", groups, passes=("backward",), wanted=("gradients/weight",))
        self.assertEqual((answer.keys(), answer["gradients"].keys()), ({"gradients"}, {"weight"}))
        np.testing.assert_array_equal(answer["gradients"]["weight"], dy.T @ X)
        for timed, name, expected in (("backward_data", "x", dy @ weight), ("backward_weight", "weight", dy.T @ X)):
            with self.subTest(timed):
                handle = dialogue.prepare("linear", groups, timed_pass=timed)["result"]["handle"]
                dialogue.load(handle, 0, groups)
                dialogue.time(handle, [0], 2)
                self.assertEqual(asked[-1], (name,))
                np.testing.assert_array_equal(dialogue.collect(handle, 0)["gradients"][name], expected)

    def test_every_gradient_at_once_is_not_timed_as_one(self):
        dialogue = self.dialogue(forward={"relu": lambda x: x}, backward={"relu": lambda dy, x: {"x": dy}})
        groups = {"inputs": {"x": X}, "upstream": {"y": X}}
        self.assertIn("wanted", dialogue.prepare("relu", groups, timed_pass="backward_data")["unsupported"])

    def test_timed_functions_get_late_operands(self):
        for name, prepares in (("the function itself", {}), ("a prepared one", {"linear": self.prepare_linear})):
            with self.subTest(name):
                dialogue = self.dialogue(forward={"linear": lambda x, weight: x @ weight.T}, prepare=prepares)
                weight = np.float32([[1, 2], [3, 4], [5, 6]])
                groups = {"inputs": {"x": X}, "parameters": {"weight": weight}}
                handle = dialogue.prepare("linear", groups)["result"]["handle"]
                for index in (0, 1):
                    dialogue.load(handle, index, {"inputs": {"x": X + index}})
                dialogue.time(handle, [0, 1], 2)
                for index in (0, 1):
                    y = dialogue.collect(handle, index)["outputs"]["y"]
                    np.testing.assert_array_equal(y, (X + index) @ weight.T)

    def test_converted_operands_follow_the_numbers_of_their_set(self):
        class Tensor:
            """What a framework makes of an array: a copy, elsewhere."""

            def __init__(self, array):
                self.array = array.copy()

        dialogue = self.dialogue(
            forward={"linear": lambda x, weight: x.array @ weight.array.T}, convert=Tensor, synchronize=lambda: None)
        weight = np.float32([[1, 2], [3, 4], [5, 6]])
        handle = dialogue.prepare("linear", {"inputs": {"x": X}, "parameters": {"weight": weight}})["result"]["handle"]
        for shift in (0, 1):
            dialogue.load(handle, 0, {"inputs": {"x": X + shift}})
            dialogue.time(handle, [0], 2)
            np.testing.assert_array_equal(dialogue.collect(handle, 0)["outputs"]["y"], (X + shift) @ weight.T)

    def prepare_linear(self, x, weight):
        self.assertEqual(x, Shape((2, 2), "float32"))
        packed = np.ascontiguousarray(weight.T)
        return lambda x: x @ packed

    def test_a_description_says_what_an_engine_is(self):
        description = self.dialogue(
            forward={"relu": lambda x: x}, name="mine", version="7", dtypes=("float32", "bfloat16"), nonfinite=False,
            info={"threads": "all"}, algorithm={"conv2d": {"winograd": {"4x3": {"points": "textbook"}}}}).description
        self.assertEqual((description["name"], description["nonfinite"]), ("mine", False))
        self.assertEqual(description["passes"], ["forward"])
        self.assertEqual(description["info"], {"threads": "all"})
        self.assertEqual(description["algorithm"], {"conv2d": {"winograd": {"4x3": {"points": "textbook"}}}})
        # Nothing is said of algorithms where there is nothing to say.
        self.assertNotIn("algorithm", self.dialogue(forward={"relu": lambda x: x}).description)
        with self.assertRaises(TypeError):
            engine(colour="red")
