"""The serving loop, driven by requests written by hand: what is loaded late, timed, and collected."""

import contextlib
import io
import json
import os

import numpy as np

from assay_engine import Engine, Prepared, Refused, Run, Unsupported
from assay_engine.marks import holds_mark
from assay_engine.serving import Server

from .support import Dialogue, Folder

WEIGHT = np.float32([[1, 2], [3, 4], [5, 6]])


def operands(seed, dtype=np.float32):
    """A linear layer's, with numbers by a seed."""
    x = np.random.default_rng(seed).standard_normal((4, 2)).astype(dtype)
    return {"inputs": {"x": x}, "parameters": {"weight": WEIGHT.astype(dtype)}}


class Linear(Engine):
    """y = x·Wᵀ. `fills`: into a buffer of the set, or as a new result; `keeps` a copy of x in another layout."""

    name, version, operations, passes = "linear", "3", ("linear",), ("forward", "backward")

    def __init__(self, fills=False, keeps=False):
        self.fills, self.keeps, self.calls, self.seen = fills, keeps, [], []

    def compute(self, case, passes, threads, wanted=()):
        if case.inputs["x"].shape[1] != case.parameters["weight"].shape[1]:
            raise Refused("shape_mismatch", "x and weight do not fit")
        if threads > 8:
            raise Unsupported("more than 8 threads")
        return {"outputs": {"y": case.inputs["x"] @ case.parameters["weight"].T}}

    def prepare(self, case, timed_pass, layout, threads):
        self.seen.append(case.inputs["x"].copy())
        weight = case.parameters["weight"].T.copy()
        if timed_pass == "backward_data":
            return Prepared(
                lambda inputs, upstream: Run(
                    lambda: upstream["y"] @ weight.T, lambda result: {"gradients": {"x": result}}))

        def bind(inputs, upstream):
            x = inputs["x"]
            kept = np.asfortranarray(x) if self.keeps else x
            buffer = np.empty((len(x), weight.shape[1]), x.dtype) if self.fills else None

            def call():
                self.calls.append(x[0, 0])
                return np.matmul(kept, weight, out=buffer)

            def refresh():
                kept[...] = x

            return Run(
                call, lambda result: {"outputs": {"y": result if buffer is None else buffer}},
                () if buffer is None else (buffer,), refresh if self.keeps else None)

        return Prepared(bind, "matmul", 64)


KINDS = [dict(fills=fills, keeps=keeps) for fills in (False, True) for keeps in (False, True)]


def of_each_kind(test):
    """Runs a test with an engine of every kind."""

    def run(self):
        for kind in KINDS:
            with self.subTest(**kind):
                engine = Linear(**kind)
                test(self, engine, Dialogue(engine, self.folder))

    return run


class Serving(Folder):
    def prepared(self, dialogue, sets=3):
        """A handle with loaded sets, and their operands."""
        reply = dialogue.prepare("linear", operands(99))
        handle, loaded = reply["result"]["handle"], [operands(seed) for seed in range(sets)]
        for index, groups in enumerate(loaded):
            self.assertEqual(dialogue.load(handle, index, groups), {"result": {}})
        return handle, loaded

    def expect(self, answer, groups):
        np.testing.assert_array_equal(answer["outputs"]["y"], groups["inputs"]["x"] @ WEIGHT.T)

    def test_hello_agrees_on_the_protocol(self):
        for asked in (1, 2):
            with self.subTest(asked):
                description = Dialogue(Linear(), self.folder, asked).description
                self.assertEqual(description["protocol"], asked)
                self.assertEqual((description["name"], description["version"]), ("linear", "3"))
                self.assertEqual(description["operations"], ["linear"])
        refused = json.loads(Server(Linear()).answer('{"id":7,"method":"hello","params":{"protocol":3}}'))
        self.assertEqual((refused["id"], refused["error"]["category"]), (7, "invalid_argument"))

    def test_prepare_sees_weights_and_shapes_alone(self):
        engine = Linear()
        dialogue, groups = Dialogue(engine, self.folder), operands(1)
        prepared = dialogue.prepare("linear", groups)["result"]
        self.assertEqual((prepared["description"], prepared["workspace_bytes"]), ("matmul", 64))
        (seen,) = engine.seen
        self.assertEqual((seen.shape, seen.dtype), ((4, 2), np.float32))
        self.assertFalse(np.isin(seen, groups["inputs"]["x"]).any())

    def test_what_goes_on_from_run_to_run_begins_after_the_trial(self):
        class Counting(Linear):
            def prepare(self, case, timed_pass, layout, threads):
                count = [0]

                def call():
                    count[0] += 1
                    return np.float32(count[0])

                return Prepared(
                    lambda inputs, upstream: Run(call, lambda result: {"outputs": {"y": result}}),
                    start=lambda: count.__setitem__(0, 10))

        dialogue = Dialogue(Counting(), self.folder)
        handle, _ = self.prepared(dialogue)
        dialogue.time(handle, [1, 0], 2)
        self.assertEqual([dialogue.collect(handle, index)["outputs"]["y"] for index in (1, 0)], [11, 12])

    @of_each_kind
    def test_what_is_timed_is_collected(self, engine, dialogue):
        handle, loaded = self.prepared(dialogue)
        times = dialogue.time(handle, [2, 0, 1], 7)["result"]["nanoseconds"]
        self.assertEqual(len(times), 7)
        self.assertTrue(all(isinstance(t, int) and t >= 0 for t in times))
        for index, groups in enumerate(loaded):
            self.expect(dialogue.collect(handle, index), groups)

    @of_each_kind
    def test_iteration_i_runs_on_set_i_modulo_their_count(self, engine, dialogue):
        handle, loaded = self.prepared(dialogue)
        engine.calls.clear()
        dialogue.time(handle, [2, 0, 1], 7)
        first = [groups["inputs"]["x"][0, 0] for groups in loaded]
        self.assertEqual(engine.calls, [first[i] for i in (2, 0, 1, 2, 0, 1, 2)])

    @of_each_kind
    def test_outputs_are_marks_after_load_and_where_a_slice_did_not_come(self, engine, dialogue):
        handle, loaded = self.prepared(dialogue)
        self.assertTrue(holds_mark(dialogue.collect(handle, 0)["outputs"]["y"]).all())
        dialogue.time(handle, [0, 1], 2)
        dialogue.time(handle, [1, 0], 1)
        # Set 0 was in the slice, which ended before its turn; its earlier result is gone.
        self.assertTrue(holds_mark(dialogue.collect(handle, 0)["outputs"]["y"]).all())
        self.expect(dialogue.collect(handle, 1), loaded[1])

    @of_each_kind
    def test_a_set_beside_a_slice_keeps_its_result(self, engine, dialogue):
        handle, loaded = self.prepared(dialogue)
        dialogue.time(handle, [0, 1, 2], 3)
        dialogue.time(handle, [2], 4)
        self.expect(dialogue.collect(handle, 0), loaded[0])

    @of_each_kind
    def test_new_numbers_in_the_same_buffers(self, engine, dialogue):
        handle, _ = self.prepared(dialogue)
        operation = dialogue.server.prepared[handle]
        addresses = [each.inputs["x"].ctypes.data for each in operation.sets.values()]
        dialogue.time(handle, [0, 1, 2], 3)
        fresh = operands(40)
        dialogue.load(handle, 1, fresh)
        self.assertTrue(holds_mark(dialogue.collect(handle, 1)["outputs"]["y"]).all())
        dialogue.time(handle, [0, 1, 2], 3)
        self.expect(dialogue.collect(handle, 1), fresh)
        self.assertEqual([each.inputs["x"].ctypes.data for each in operation.sets.values()], addresses)

    @of_each_kind
    def test_load_and_collect_do_no_work(self, engine, dialogue):
        handle, _ = self.prepared(dialogue)
        engine.calls.clear()
        dialogue.load(handle, 0, operands(7))
        dialogue.collect(handle, 0)
        self.assertEqual(engine.calls, [])

    @of_each_kind
    def test_cold_and_one_set_twice(self, engine, dialogue):
        handle, loaded = self.prepared(dialogue)
        self.assertEqual(len(dialogue.time(handle, [1, 1], 3, cold=True)["result"]["nanoseconds"]), 3)
        self.expect(dialogue.collect(handle, 1), loaded[1])
        dialogue.time(handle, [1, 1], 1)
        self.expect(dialogue.collect(handle, 1), loaded[1])

    def test_gradients_are_collected(self):
        dialogue, groups = Dialogue(Linear(), self.folder), operands(3)
        groups["upstream"] = {"y": np.float32(np.arange(12).reshape(4, 3))}
        handle = dialogue.prepare("linear", groups, timed_pass="backward_data")["result"]["handle"]
        dialogue.load(handle, 5, groups)
        dialogue.time(handle, [5], 1)
        np.testing.assert_array_equal(
            dialogue.collect(handle, 5)["gradients"]["x"], groups["upstream"]["y"] @ WEIGHT)

    def test_what_is_wrong_with_a_request_is_an_internal_failure(self):
        dialogue = Dialogue(Linear(), self.folder)
        handle, _ = self.prepared(dialogue)
        wrong_shape = {"inputs": {"x": np.zeros((5, 2), np.float32)}}
        wrong = {
            "a set that was never loaded": lambda: dialogue.time(handle, [0, 9], 2),
            "no set": lambda: dialogue.time(handle, [], 2),
            "an unknown handle": lambda: dialogue.time("77", [0], 2),
            "a set of another shape": lambda: dialogue.load(handle, 0, wrong_shape),
            "a file that is not there": lambda: dialogue.ask("load", handle=handle, set=0, file=self.path("none.h5")),
            "a released handle": lambda: (dialogue.ask("release", handle=handle), dialogue.time(handle, [0], 1))[1],
        }
        for name, ask in wrong.items():
            with self.subTest(name), contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(ask()["error"]["category"], "internal")

    def test_refusals_and_what_is_not_supported(self):
        dialogue = Dialogue(Linear(), self.folder)
        groups = operands(1)
        groups["inputs"]["x"] = np.zeros((4, 3), np.float32)
        reply, answer = dialogue.compute("linear", groups)
        self.assertEqual(reply["error"], {"category": "shape_mismatch", "message": "x and weight do not fit"})
        self.assertIsNone(answer)
        self.assertIn("does not do relu", dialogue.compute("relu", operands(1))[0]["unsupported"])
        self.assertIn("method sing", dialogue.ask("sing")["unsupported"])
        with self.assertRaises(ValueError):
            Refused("bad_mood", "no category of the format")

    def test_protocol_1_is_served(self):
        for kind in KINDS:
            with self.subTest(**kind):
                engine, groups = Linear(**kind), operands(2)
                dialogue = Dialogue(engine, self.folder, protocol=1)
                file = dialogue.question("linear", groups)
                prepared = dialogue.result(
                    "prepare", file=file, case="/case", dtype="float32", layout="nchw", threads=1,
                    **{"pass": "forward"})
                os.remove(file)
                times = dialogue.result("time", handle=prepared["handle"], iterations=4, cold=False)["nanoseconds"]
                self.assertEqual((len(times), set(engine.calls)), (4, {groups["inputs"]["x"][0, 0]}))
                self.expect(dialogue.collect(prepared["handle"], 0), groups)

    def test_synchronize_once_before_the_first_and_after_each(self):
        engine, log = Linear(), []
        engine.synchronize = lambda: log.append("wait")
        dialogue = Dialogue(engine, self.folder)
        handle, _ = self.prepared(dialogue)
        engine.calls = log
        dialogue.time(handle, [0, 1], 3)
        self.assertEqual(["wait" if each == "wait" else "call" for each in log], ["wait"] + ["call", "wait"] * 3)
