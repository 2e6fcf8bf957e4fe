"""MNN's CPU backend as an engine, in float32, through its converter from ONNX.

- precision high: its other modes may compute or store in 16 bits.
- memory normal (its default): leaves it Winograd's algorithm and Strassen's, with the scratch memory that these need.
- Weights are in the converted model as float32, and packed when it is loaded; shapes are fixed then, too.
- Its own pool of threads sleeps between two runs.
"""

import os
import sys
import tempfile
from pathlib import Path

import MNN
import MNN.expr as expr
import MNN.nn as nn
import numpy as np
import onnx
from MNN.tools import mnnconvert

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from assay_engine import Engine, Prepared, Run, Unsupported, serve
from onnx_graphs import OPERATIONS, build, groups

_ONNX = 2  # The converter's number of the format.


class _Network:
    def __init__(self, model, inputs, output, threads):
        with tempfile.TemporaryDirectory() as folder:
            source, converted = f"{folder}/case.onnx", f"{folder}/case.mnn"
            onnx.save(model, source)
            mnnconvert.convert(source, converted)
            self.module = nn.load_module_from_file(
                converted, list(inputs), [output], backend=expr.Backend.CPU, thread_num=threads, shape_mutable=False,
                precision_mode=expr.PrecisionMode.High, memory_mode=expr.MemoryMode.Normal,
                power_mode=expr.PowerMode.Normal)


class MNNEngine(Engine):
    name = "mnn"
    version = MNN.version()
    operations = OPERATIONS
    omits = ("outputs/indices",)


if __name__ == "__main__":
    serve(MNNEngine())
