"""MNN's CPU backend as an engine, in float32, by its converter from ONNX.

- precision high: its other modes may compute or store in 16 bits.
- WINOGRAD_MEMORY_LEVEL 2. At 3, its default, tiles are so large that a 3×3 convolution's error is 630 to 720 times
  that of a sum in float32 (64 channels, 28² and 56²; 1.2 times at 2, which has the pace of direct sums), half of what
  operands rounded to TF32 cost: nearer to that than to float32, and 1.6 times as fast. Strassen's algorithm, which it
  takes for 1×1, stays on.
- memory and power normal, its defaults. The weights are packed when the model is loaded, and shapes are fixed then.
- Inputs are MNN's own variables, as plain NCHW. Its pool's threads sleep between two runs.
"""

import ctypes
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx

# MNN greets on stdout when it is loaded, where replies are to be.
_stdout = os.dup(1)
os.dup2(2, 1)
import _tools as tools
import MNN
import MNN.expr as expr
import MNN.nn as nn

ctypes.CDLL(None).fflush(None)
os.dup2(_stdout, 1)
os.close(_stdout)

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from assay_engine import Engine, Prepared, Run, Unsupported, serve
from onnx_graphs import OMITS, OPERATIONS, build, groups

_WINOGRAD_MEMORY_LEVEL = 3  # The number of the hint, not the level.


def _module(model, inputs, output, threads):
    """A model as MNN runs it: the shapes are those of the model."""
    runtime = nn.create_runtime_manager(({"backend": "CPU", "precision": "high", "numThread": threads},))
    runtime.set_hint(_WINOGRAD_MEMORY_LEVEL, 2)
    with tempfile.TemporaryDirectory() as folder:
        source, converted = f"{folder}/case.onnx", f"{folder}/case.mnn"
        onnx.save(model, source)
        tools.mnnconvert(
            ["mnnconvert", "-f", "ONNX", "--modelFile", source, "--MNNModel", converted, "--bizCode", "assay"])
        if not Path(converted).exists():
            raise Unsupported("MNN's converter does not take it")
        return nn.load_module_from_file(
            converted, list(inputs), [output], runtime_manager=runtime, shape_mutable=False)


def _require_supported(case):
    """What its converter takes and gives another meaning."""
    if case.operation in ("max_pool2d", "avg_pool2d"):
        if case.pair("dilation", 1) != (1, 1):
            raise Unsupported("dilated pooling")
        if case.boolean("ceil_mode", False):
            raise Unsupported("ceil_mode: its last window may start in the padding")


class MNNEngine(Engine):
    name = "mnn"
    version = MNN.version()
    operations = OPERATIONS
    omits = OMITS
    # Results are clamped to finite numbers, and the larger of a NaN and a number is the number.
    nonfinite = False
    denormals = False
    # At level 2 a 3×3 convolution is F(2×2): of filters times inputs of one sign the errors of a channel's pixels lean to one
    # side together (intraclass correlation 0.05 to 0.09 of 16 to 64 channels), as transformed filters' do and sums' do not.
    # 1×1 convolutions of 256 channels and more are Strassen's: their mean square error is three times a sum's.
    algorithm = {
        "conv2d": {"kinds": ["direct", "winograd"], "winograd": {"2x3": {"points": "textbook"}}, "strassen_levels": 2}}

    @staticmethod
    def _prepared(case, threads):
        if any(array.size == 0 for array in case.inputs.values()):
            raise Unsupported("an empty batch")
        _require_supported(case)
        model, inputs, output = build(case)
        return _module(model, inputs, output, threads), tuple(inputs), output

    @staticmethod
    def _run(module, names, operands, answer):
        """The run on these operands, which MNN keeps in variables of its own."""
        variables = [expr.placeholder(list(operands[name].shape), expr.NCHW) for name in names]

        def refresh():
            for name, variable in zip(names, variables):
                variable.write(operands[name])

        refresh()
        return Run(lambda: module.onForward(variables)[0], answer, refresh=refresh)

    def compute(self, case, passes, threads, wanted=()):
        if case.dtype != "float32":
            raise Unsupported(f"{case.dtype}: computes in float32 here")
        module, names, output = self._prepared(case, threads)
        return groups(case, output, np.array(self._run(module, names, case.inputs, None).call().read()))

    def prepare(self, case, timed_pass, layout, threads):
        if timed_pass not in ("forward", "inference"):
            raise Unsupported(f"{timed_pass}: an inference runtime")
        if layout != "nchw":
            raise Unsupported("its packed layout exists inside a module only")
        module, names, output = self._prepared(case, threads)

        def bind(operands, upstream):
            # A module gives its results in the same memory each time. A clone has the weights of the first.
            return self._run(module.clone(), names, operands, lambda y: {"outputs": {output: np.array(y.read())}})

        return Prepared(bind, "module of float32, Winograd memory level 2")


if __name__ == "__main__":
    serve(MNNEngine())
