"""PyTorch compiled as an engine beside eager: inductor with frozen weights, forward in float32.

- freezing: weights are constants of the graph, which are packed and folded before the clock runs.
- One shape a graph (dynamic=False), compiled anew for each problem and number of threads, which inductor writes into
  the code. It chooses the layout between NCHW and NCHW itself.
- Compilation in this process alone: inductor's own compile workers would be at work, or wait for it, beside the
  clock.
"""

import os

os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
# Ahead of torch: it says how long libgomp's threads look for work, which libgomp reads when torch loads it.
from pytorch import STAGES, Candidate, PyTorch, Training, call_of, keep_memory, tensors_of

import torch

from assay_engine import Unsupported, keywords, require_sound, serve


class _Layer(torch.nn.Module):
    """An operation with its weights, which freezing makes constants."""

    def __init__(self, case, weights):
        super().__init__()
        self.operation, self.attributes, self.names = case.operation, keywords(case), tuple(weights)
        for name, value in weights.items():
            self.register_buffer(name, value)

    def forward(self, inputs):
        weights = {name: getattr(self, name) for name in self.names}
        return call_of(self.operation, {**inputs, **weights}, self.attributes)()


def _compiled(module):
    # What was compiled before is let go: each problem has its own graph.
    torch._dynamo.reset()
    return torch.compile(module.eval(), dynamic=False, options={"freezing": True})


class CompiledPyTorch(PyTorch):
    name = "pytorch-compiled"
    # Those of networks: each problem takes seconds of a C++ compiler.
    operations = (
        "conv2d", "linear", "relu", "batch_norm2d", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "softmax", "add",
        "resnet")
    dtypes = ("float32",)
    passes = ("forward",)
    # A compiled network has no results but its last.
    omits = tuple(f"outputs/{name}" for name in STAGES)
    # Frozen convolutions are oneDNN's, which skip padding, also where 0·∞ is NaN.
    nonfinite = False
    manner = "inductor, frozen"

    def binder(self, case, weights):
        if case.operation == "batch_norm2d" and (case.boolean("training", False) or "running_mean" not in weights):
            raise Unsupported("a batch's own statistics: compiled for inference")
        layer = _compiled(_Layer(case, weights))
        return lambda inputs: lambda: layer(inputs)

    def compute(self, case, passes, threads, wanted=()):
        # Before tracing, which hides why PyTorch refuses.
        require_sound(case)
        return super().compute(case, passes, threads, wanted)

    def prepare(self, case, timed_pass, layout, threads):
        if timed_pass not in ("forward", "inference", "training_step"):
            raise Unsupported(f"{timed_pass}: compiled for inference and training")
        return super().prepare(case, timed_pass, layout, threads)

    def convolutions(self, case, layout):
        layer = _compiled(_Layer(case, tensors_of(case.parameters)))
        if layout == "nchw":
            return {self.manner: Candidate(lambda x: layer({"x": x}))}
        return {
            f"{self.manner}, channels_last": Candidate(
                lambda x: layer({"x": x}), lambda x: x.contiguous(memory_format=torch.channels_last))}

    def network(self, case, training):
        if training:
            raise Unsupported("a network in training mode: compiled for inference, and for steps that are timed")
        return _compiled(super().network(case, False))

    def trainings_of(self, case):
        torch._dynamo.reset()
        return {
            way: Training(super(CompiledPyTorch, self).network(case, True), memory_format, torch.compile)
            for way, memory_format in (
                ("inductor", torch.contiguous_format), ("inductor, channels_last", torch.channels_last))}

    def networks(self, case, x):
        return {self.manner: Candidate(self.network(case, False))}


if __name__ == "__main__":
    keep_memory()
    serve(CompiledPyTorch())
