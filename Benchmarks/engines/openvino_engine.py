"""OpenVINO's CPU plugin as an engine, in float32 throughout, one stream tuned for latency."""

import sys
from pathlib import Path

import numpy as np
import openvino as ov

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from assay_engine import Engine, Prepared, Refused, Run, Unsupported, serve
from onnx_graphs import OMITS, OPERATIONS, build, groups

_core = ov.Core()


def _compile(model, threads):
    try:
        return _core.compile_model(_core.read_model(model.SerializeToString()), "CPU", {
            "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False,
        })
    except RuntimeError as error:
        raise Refused("shape_mismatch", str(error).strip().split("\n")[-1]) from error


def _require_supported(case):
    """What its plugin lacks of valid problems."""
    if case.operation in ("max_pool2d", "avg_pool2d") and case.inputs["x"].size == 0:
        raise Unsupported("pooling of an empty batch")


class OpenVINO(Engine):
    name = "openvino"
    version = ov.__version__.split("-")[0]
    operations = OPERATIONS
    omits = OMITS
    # The larger of a NaN and a number is the number, in ReLU, softmax and windows; convolutions skip padding, also where
    # 0·∞ is NaN.
    nonfinite = False

    def compute(self, case, passes, threads, wanted=()):
        if case.dtype != "float32":
            raise Unsupported(f"{case.dtype}: the plugin computes in float32")
        model, inputs, output = build(case)
        _require_supported(case)
        result = _compile(model, threads)(inputs)
        return groups(case, output, np.array(result[0]))

    def prepare(self, case, timed_pass, layout, threads):
        if timed_pass not in ("forward", "inference"):
            raise Unsupported(f"{timed_pass}: an inference runtime")
        if layout != "nchw":
            raise Unsupported("its blocked layout exists inside a compiled model only")
        model, inputs, output = build(case)
        compiled = _compile(model, threads)
        shape = tuple(compiled(inputs)[0].shape)

        def bind(operands, upstream):
            request, buffer = compiled.create_infer_request(), np.empty(shape, np.float32)
            for name in inputs:
                request.set_tensor(name, ov.Tensor(operands[name], shared_memory=True))
            request.set_output_tensor(ov.Tensor(buffer, shared_memory=True))
            # The answer of `infer` would copy the outputs, and is not asked for.
            return Run(
                lambda: request.infer(share_outputs=True), lambda _: {"outputs": {output: buffer}}, buffers=(buffer,))

        return Prepared(bind, "compiled model, f32, latency hint, bound buffers")


if __name__ == "__main__":
    serve(OpenVINO())
