"""The engines of Benchmarks/engines and the null engine by protocol 2, each in a process of its own: what was loaded
late is what is timed and collected. An engine whose framework is not installed is skipped."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import unittest

import numpy as np

from assay_engine import bfloat16_of, float32_of
from assay_engine.exchange import read_answer
from assay_engine.functions import FunctionEngine, Functions
from assay_engine.marks import holds_mark

from .support import ENGINES, Dialogue, Folder, Process, write_question

def _hdf5_in_c():
    """What a C compiler is told to find libhdf5; nothing where there is no compiler or no library."""
    if not shutil.which("cc") or not shutil.which("pkg-config"):
        return []
    return subprocess.run(["pkg-config", "--cflags", "--libs", "hdf5"], capture_output=True, text=True).stdout.split()


HDF5_IN_C = _hdf5_in_c()
WEIGHT = np.random.default_rng(1).standard_normal((4, 3, 3, 3)).astype(np.float32)


def draw(seed):
    random = np.random.default_rng(seed)
    return {
        "inputs": {"x": random.standard_normal((2, 3, 6, 5)).astype(np.float32)},
        "upstream": {"y": random.standard_normal((2, 4, 6, 5)).astype(np.float32)}}


def convolution(x):
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    return np.einsum("nchwrs,kcrs->nkhw", windows, WEIGHT)


def gradient_of_x(dy):
    padded = np.pad(dy.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    return np.einsum("nkhwrs,kcrs->nchw", windows, WEIGHT[:, :, ::-1, ::-1])


def gradient_of_weight(x, dy):
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))
    return np.einsum("nchwrs,nkhw->kcrs", windows, dy)


EXPECTED = {
    "forward": ("outputs", "y", lambda late: convolution(late["inputs"]["x"])),
    "backward_data": ("gradients", "x", lambda late: gradient_of_x(late["upstream"]["y"])),
    "backward_weight": (
        "gradients", "weight", lambda late: gradient_of_weight(late["inputs"]["x"], late["upstream"]["y"])),
}


class Engines(Folder):
    count = 0

    def ask(self, process, method, **params):
        return self.reply(process, method, **params)["result"]

    def reply(self, process, method, **params):
        self.count += 1
        reply = process.ask(json.dumps({"id": self.count, "method": method, "params": params}))
        self.assertEqual(reply.pop("id"), self.count)
        return reply

    def load(self, process, handle, index, late):
        file = self.path("late.h5")
        write_question(file, "conv2d", late)
        self.ask(process, "load", handle=handle, set=index, file=file)
        os.remove(file)

    def collect(self, process, handle, index, group, name):
        output = self.path("collected.h5")
        self.ask(process, "collect", handle=handle, set=index, output=output)
        return read_answer(output, "/case")[group][name]

    def dialogue(self, process, timed_pass, layout, check, late=draw, dtype="float32"):
        """Two sets are loaded, timed, loaded again and timed again; `check(found, late)` is given what is collected."""
        group, name, _ = EXPECTED[timed_pass]
        file = self.path("prepare.h5")
        weight = {"parameters": {"weight": WEIGHT if dtype == "float32" else bfloat16_of(WEIGHT)}}
        write_question(file, "conv2d", {**late(0), **weight}, attributes={"padding": 1}, without_late=True)
        handle = self.ask(
            process, "prepare", file=file, case="/case", dtype=dtype, layout=layout, threads=1,
            **{"pass": timed_pass})["handle"]
        os.remove(file)
        for round_ in (0, 10):
            for index in (0, 1):
                self.load(process, handle, index, late(round_ + index))
                self.assertTrue(holds_mark(self.collect(process, handle, index, group, name)).all())
            self.assertEqual(len(self.ask(
                process, "time", handle=handle, sets=[1, 0], iterations=5, cold=False)["nanoseconds"]), 5)
            for index in (0, 1):
                check(self.collect(process, handle, index, group, name), late(round_ + index))
        self.ask(process, "release", handle=handle)

    def run_engine(self, script, requests):
        process = Process(self, [sys.executable, ENGINES / script])
        self.assertEqual(self.ask(process, "hello", protocol=2)["protocol"], 2)
        for timed_pass, layout in requests:
            with self.subTest(timed_pass, layout=layout):
                expected = EXPECTED[timed_pass][2]
                self.dialogue(
                    process, timed_pass, layout,
                    lambda found, late: np.testing.assert_allclose(found, expected(late), rtol=0, atol=1e-4))
        return process

    def test_numpy(self):
        self.run_engine("numpy_conv2d.py", [("forward", "nchw"), ("forward", "native")])

    @unittest.skipUnless(importlib.util.find_spec("torch"), "PyTorch is not installed")
    def test_pytorch(self):
        process = self.run_engine(
            "pytorch.py", [(timed_pass, layout) for timed_pass in EXPECTED for layout in ("nchw", "native")])

        def half(seed):
            return {group: {k: bfloat16_of(v) for k, v in tensors.items()} for group, tensors in draw(seed).items()}

        def check(found, late):
            exact = convolution(float32_of(late["inputs"]["x"]))
            np.testing.assert_allclose(float32_of(found), exact, rtol=0.02, atol=0.1)

        self.dialogue(process, "forward", "nchw", check, late=half, dtype="bfloat16")

    @unittest.skipUnless(importlib.util.find_spec("onnxruntime"), "ONNX Runtime is not installed")
    def test_onnxruntime(self):
        self.run_engine("onnxruntime_engine.py", [("forward", "nchw")])

    @unittest.skipUnless(importlib.util.find_spec("openvino"), "OpenVINO is not installed")
    def test_openvino(self):
        self.run_engine("openvino_engine.py", [("forward", "nchw")])

    @unittest.skipUnless(importlib.util.find_spec("ncnn"), "ncnn is not installed")
    def test_ncnn(self):
        self.run_engine("ncnn_engine.py", [("forward", "nchw")])

    @unittest.skipUnless(importlib.util.find_spec("MNN"), "MNN is not installed")
    def test_mnn(self):
        self.run_engine("mnn_engine.py", [("forward", "nchw")])

    @unittest.skipUnless(importlib.util.find_spec("torch") and shutil.which("c++"), "no PyTorch, or no C++ compiler")
    def test_pytorch_compiled(self):
        self.run_engine("pytorch_compiled.py", [("forward", "nchw"), ("forward", "native")])

    @unittest.skipUnless(HDF5_IN_C, "no C compiler, or no libhdf5 for it")
    def test_c(self):
        program = self.path("relu-engine")
        subprocess.run(["cc", "-O2", "-o", program, ENGINES / "example.c", *HDF5_IN_C], check=True)
        for protocol in (2, 1):
            process, file = Process(self, [program]), self.path("x.h5")
            hello = self.ask(process, "hello", protocol=protocol)
            self.assertEqual((hello["protocol"], hello["operations"]), (protocol, ["relu"]))
            write_question(file, "relu", draw(0), without_late=protocol == 2)
            handle = self.ask(
                process, "prepare", file=file, case="/case", dtype="float32", layout="nchw", threads=1,
                **{"pass": "forward"})["handle"]
            with self.subTest(protocol):
                if protocol == 1:
                    times = self.ask(process, "time", handle=handle, iterations=4, cold=False)["nanoseconds"]
                    self.assertEqual(len(times), 4)
                    continue
                for index in (0, 63):
                    self.load(process, handle, index, draw(index))
                self.assertTrue(holds_mark(self.collect(process, handle, 63, "outputs", "y")).all())
                self.ask(process, "time", handle=handle, sets=[63, 0], iterations=5, cold=False)
                for index in (0, 63):
                    np.testing.assert_array_equal(
                        self.collect(process, handle, index, "outputs", "y"), np.maximum(draw(index)["inputs"]["x"], 0))
                reply = self.reply(process, "time", handle=handle, sets=[0, 7], iterations=5, cold=False)
                self.assertEqual(reply["error"]["category"], "internal")
                self.ask(process, "release", handle=handle)
                self.assertIn("error", self.reply(process, "collect", handle=handle, set=0, output=self.path("y.h5")))

    def test_the_null_engine_moves_the_bytes_and_does_nothing(self):
        process = Process(self, [sys.executable, "-m", "assay_engine.null"])
        self.assertEqual(self.ask(process, "hello", protocol=2)["name"], "null")
        for timed_pass, layout in [(timed_pass, layout) for timed_pass in EXPECTED for layout in ("nchw", "native")]:
            with self.subTest(timed_pass, layout=layout):
                expected = EXPECTED[timed_pass][2]

                def check(found, late):
                    self.assertEqual(found.shape, expected(late).shape)
                    self.assertTrue(holds_mark(found).all())

                self.dialogue(process, timed_pass, layout, check)

    def test_the_end_of_stdin_ends_an_engine(self):
        self.assertEqual(Process(self, [sys.executable, "-m", "assay_engine.null"]).end(), 0)


@unittest.skipUnless(importlib.util.find_spec("torch"), "PyTorch is not installed")
class Torch(Folder):
    """DLPack with the framework that most use."""

    def test_functions_of_tensors(self):
        import torch

        def conv2d(x, weight, *, padding):
            return torch.nn.functional.conv2d(x, weight, padding=padding)

        functions = Functions()
        functions.forward["conv2d"] = conv2d
        engine = FunctionEngine(functions, convert=torch.from_dlpack, dtypes=("float32", "bfloat16"))
        dialogue, late = Dialogue(engine, self.folder), draw(1)
        half = {group: {name: bfloat16_of(array) for name, array in late[group].items()} for group in late}
        for dtype, operands, weight in (("float32", late, WEIGHT), ("bfloat16", half, bfloat16_of(WEIGHT))):
            with self.subTest(dtype):
                reply = dialogue.prepare(
                    "conv2d", {**operands, "parameters": {"weight": weight}}, dtype, attributes={"padding": 1})
                handle = reply["result"]["handle"]
                dialogue.load(handle, 0, operands)
                dialogue.time(handle, [0], 3)
                y = dialogue.collect(handle, 0)["outputs"]["y"]
                self.assertEqual(y.dtype, np.uint16 if dtype == "bfloat16" else np.float32)
                np.testing.assert_allclose(
                    float32_of(y) if dtype == "bfloat16" else y, convolution(late["inputs"]["x"]), rtol=0.02, atol=0.1)

    @unittest.skipUnless(importlib.util.find_spec("torchvision"), "torchvision is not installed")
    def test_steps_of_training(self):
        """From the case's values in each preparation, through the sets in their order, by the optimiser that is named."""
        import torch
        import torchvision

        sys.path.insert(0, str(ENGINES))
        from pytorch import PyTorch

        torch.manual_seed(0)
        model = torchvision.models.resnet18(num_classes=10).train()
        state = {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}
        learnt = dict(model.named_parameters())
        random = np.random.default_rng(1)
        batches = [{"inputs": {
            "x": random.standard_normal((4, 3, 64, 64)).astype(np.float32),
            "target": random.integers(0, 10, 4)}} for _ in range(3)]
        optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        expected = []
        for batch in batches:
            x, target = (torch.from_numpy(batch["inputs"][name]) for name in ("x", "target"))
            loss = torch.nn.functional.cross_entropy(model(x), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            expected.append(loss.item())
        case = {**batches[0], "parameters": {name: state[name] for name in learnt},
                "buffers": {name: value for name, value in state.items() if name not in learnt}}
        attributes = {"architecture": "resnet18", "num_classes": 10, "training": 1, "optimizer": "adamw", "lr": 0.01}
        dialogue = Dialogue(PyTorch(), self.folder)
        for _ in range(2):
            reply = dialogue.prepare("resnet", case, timed_pass="training_step", attributes=attributes)
            handle = reply["result"]["handle"]
            for index, batch in enumerate(batches):
                dialogue.load(handle, index, batch)
                dialogue.time(handle, [index], 1)
            found = [float(dialogue.collect(handle, index)["outputs"]["loss"]) for index in range(3)]
            np.testing.assert_allclose(found, expected, rtol=1e-3)
        reply = dialogue.prepare(
            "resnet", case, timed_pass="training_step", attributes={**attributes, "optimizer": "lion"})
        self.assertEqual(reply["error"]["category"], "invalid_argument")

    def test_operands_and_results(self):
        import torch

        from assay_engine import to_numpy
        from assay_engine.arrays import given

        values = np.float32([[1, -2.5], [3, 4]])
        tensor = torch.from_dlpack(given(values))
        self.assertEqual(tensor.data_ptr(), values.ctypes.data)
        half = torch.from_dlpack(given(bfloat16_of(values)))
        self.assertEqual(half.dtype, torch.bfloat16)
        np.testing.assert_array_equal(half.float().numpy(), values)
        for result in (half, half.requires_grad_(), half.T.contiguous().T):
            np.testing.assert_array_equal(float32_of(to_numpy(result)), values)
        self.assertEqual(to_numpy(tensor.int()).dtype, np.int64)
        self.assertEqual(to_numpy(torch.tensor(1.5)).shape, ())


if __name__ == "__main__":
    unittest.main()
