"""ONNX Runtime's CPU provider as an engine: every graph optimisation, weights packed by the session, bound buffers."""

import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from assay_engine import Engine, Prepared, Refused, Run, Unsupported, serve
from onnx_graphs import OMITS, OPERATIONS, build, groups


def _session(model, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    # More than passes between two runs; its own setting keeps an idle pool at work for 20 ms after the last.
    options.add_session_config_entry("session.intra_op.spin_duration_us", "200")
    try:
        return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime raises classes of its own C++ module
        raise Refused("shape_mismatch", str(error).split("\n")[0]) from error


def _require_supported(case):
    """What the runtime's kernels lack of valid problems."""
    if case.operation == "conv_transpose2d":
        if any(e >= s for e, s in zip(case.pair("output_padding", 0), case.pair("stride", 1))):
            raise Unsupported("an output_padding that is not below the stride, though below the dilation")
    if case.operation in ("group_norm", "layer_norm") and case.inputs["x"].size == 0:
        raise Unsupported("normalisation of an empty batch")


class ONNXRuntime(Engine):
    name = "onnxruntime"
    version = ort.__version__
    operations = OPERATIONS
    omits = OMITS

    def compute(self, case, passes, threads, wanted=()):
        if case.dtype != "float32":
            raise Unsupported(f"{case.dtype} on the CPU provider")
        model, inputs, output = build(case)
        _require_supported(case)
        try:
            (y,) = _session(model, threads).run([output], inputs)
        except Refused:
            raise
        except Exception as error:
            raise Refused("shape_mismatch", str(error).split("\n")[0]) from error
        return groups(case, output, y)

    def prepare(self, case, timed_pass, layout, threads):
        if timed_pass not in ("forward", "inference"):
            raise Unsupported(f"{timed_pass}: an inference runtime")
        if layout != "nchw":
            raise Unsupported("its blocked layout exists inside a session only")
        model, inputs, output = build(case)
        session = _session(model, threads)
        (y,) = session.run([output], inputs)

        def bind(operands, upstream):
            buffer = np.empty_like(y)
            binding = session.io_binding()
            for name in inputs:
                binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(operands[name]))
            binding.bind_ortvalue_output(output, ort.OrtValue.ortvalue_from_numpy(buffer))
            return Run(
                lambda: session.run_with_iobinding(binding), lambda _: {"outputs": {output: buffer}}, buffers=(buffer,))

        return Prepared(bind, "session, all optimisations, bound buffers")


if __name__ == "__main__":
    serve(ONNXRuntime())
