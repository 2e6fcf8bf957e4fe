"""ncnn as an engine, in float32 throughout.

- Everything that stores or computes in 16 or 8 bits is off: by default it stores weights and activations in float16
  where the machine has conversions.
- use_winograd_convolution, use_sgemm_convolution and use_packing_layout are on, as by default: F(2), F(4) and F(6) of
  its own points, and channels in groups as wide as a register.
- Denormals are taken for zeros while it runs: its flush_denormals says so by default, and Python cannot say
  otherwise.
- lightmode is on, as by default: a layer's input is freed once it was read. Memory comes from ncnn's pools, which its
  own benchmark uses, too.
- openmp_blocktime is 0, and libgomp's threads look for work for less than 1 ms before they sleep: they are not at
  work between two runs.
- ncnn has no axis for a batch: its images are computed one after another, and what has no channels to tell apart
  (pools, activations) on N·C channels at once.
"""

import itertools
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

# Read when libgomp is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "30000")
import ncnn

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from assay_engine import Engine, Prepared, Run, Unsupported, serve
from ncnn_graphs import text_and_weights
from onnx_graphs import OMITS, build, groups

# On N·C channels at once.
_CHANNELS_ALONE = ("relu", "add", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d")
# Layers that write over what they read, which has to be memory of ncnn's. So has what is taken group by group: of planes
# that do not fill multiples of 16 bytes ncnn takes a group's to be as far apart as in its own memory, and reads beyond.
_IN_PLACE = ("relu", "batch_norm2d", "softmax")
# On rows, all at once.
_ROWS = ("linear", "softmax")

_OPTIONS = dict(
    use_fp16_packed=False, use_fp16_storage=False, use_fp16_arithmetic=False, use_bf16_packed=False,
    use_bf16_storage=False, use_int8_inference=False, use_vulkan_compute=False, use_winograd_convolution=True,
    use_winograd23_convolution=True, use_winograd43_convolution=True, use_winograd63_convolution=True,
    use_sgemm_convolution=True, use_packing_layout=True, lightmode=True, openmp_blocktime=0)


# For results and for scratch. They outlive every net and every result that has memory of theirs.
_POOLS = ncnn.PoolAllocator(), ncnn.PoolAllocator()


class _Network:
    """A net of one graph."""

    def __init__(self, model, threads):
        for pool in _POOLS:
            pool.clear()
        self.net = ncnn.Net()
        for name, value in _OPTIONS.items():
            setattr(self.net.opt, name, value)
        self.net.opt.num_threads = threads
        self.net.opt.blob_allocator, self.net.opt.workspace_allocator = _POOLS
        text, weights = text_and_weights(model)
        with tempfile.TemporaryDirectory() as folder:
            for name, load, content in (
                ("param", self.net.load_param, text.encode()), ("bin", self.net.load_model, weights)):
                file = Path(folder) / f"net.{name}"
                file.write_bytes(content)
                if load(str(file)) != 0:
                    raise RuntimeError(f"ncnn does not load the {name} of:\n{text}")

    def __call__(self, operands, output):
        extractor = self.net.create_extractor()
        for name, mat in operands.items():
            extractor.input(name, mat)
        code, result = extractor.extract(output)
        if code != 0:
            raise RuntimeError(f"ncnn's extract gives {code}")
        return result


def _pieces(case, array):
    """An operand as what ncnn takes one by one: it has three axes at most, and none for a batch."""
    if case.operation in _CHANNELS_ALONE:
        return [array.reshape(-1, *array.shape[-2:]) if array.ndim > 2 else array.reshape(array.shape or 1)]
    if case.operation in _ROWS and array.ndim == 2:
        return [array]
    return list(array)


def _result(case, shape, mats):
    """The results of all pieces, as the operation has them on an `x` of this shape."""
    arrays = [np.array(mat) for mat in mats]
    if case.operation == "adaptive_avg_pool2d":
        return arrays[0].reshape(*shape[:2], 1, 1)
    if case.operation in _CHANNELS_ALONE:
        return arrays[0].reshape(*shape[:-2], *arrays[0].shape[-2:]) if len(shape) > 2 else arrays[0].reshape(shape)
    return arrays[0] if case.operation in _ROWS and len(shape) == 2 else np.stack(arrays)


class NCNN(Engine):
    name = "ncnn"
    version = ncnn.__version__
    operations = ("conv2d", "linear", "batch_norm2d", "softmax", "resnet", "flatten", *_CHANNELS_ALONE)
    omits = OMITS
    # A Winograd tile spreads a NaN; the largest of a window leaves NaN out, and begins with the least finite number.
    nonfinite = False
    denormals = False
    algorithm = {
        "conv2d": {
            "kinds": ["direct", "winograd"],
            # In groups of fewer channels, depthwise ones among them, its sums are direct.
            "winograd": {f"{tile}x3": {"points": "ncnn", "channels": 9} for tile in (2, 4, 6)},
        }
    }

    def _network(self, case, threads):
        if any(array.size == 0 for array in case.inputs.values()):
            raise Unsupported("an empty batch")
        if case.operation not in _CHANNELS_ALONE and not 2 <= case.inputs["x"].ndim <= 4:
            raise Unsupported("more axes than ncnn has")
        model, inputs, output = build(case)
        return _Network(model, threads), tuple(inputs), output

    def compute(self, case, passes, threads, wanted=()):
        if case.dtype != "float32":
            raise Unsupported(f"{case.dtype}: computes in float32 here")
        network, names, output = self._network(case, threads)
        results = self._run(case, network, names, output, case.inputs, None).call()
        return groups(case, output, _result(case, case.inputs["x"].shape, results))

    @staticmethod
    def _run(case, network, names, output, operands, answer):
        """The run on these operands, which stay where they are; ncnn's own memory takes over where a layer needs it."""
        views = [[ncnn.Mat(piece) for piece in _pieces(case, operands[name])] for name in names]
        is_apart = case.operation in _IN_PLACE or case.integer("groups", 1) > 1
        mats = [[view.clone() for view in of_name] for of_name in views] if is_apart else views
        feeds = [dict(zip(names, pieces)) for pieces in zip(*mats)]

        def refresh():
            for own, view in zip(itertools.chain(*mats), itertools.chain(*views)):
                np.copyto(np.asarray(own), np.asarray(view))

        return Run(lambda: [network(feed, output) for feed in feeds], answer, refresh=refresh if is_apart else None)

    def prepare(self, case, timed_pass, layout, threads):
        if timed_pass not in ("forward", "inference"):
            raise Unsupported(f"{timed_pass}: an inference runtime")
        if layout != "nchw":
            raise Unsupported("its packed layout exists inside a net only")
        network, names, output = self._network(case, threads)
        shape = case.inputs["x"].shape

        def bind(operands, upstream):
            return self._run(
                case, network, names, output, operands,
                lambda mats: {"outputs": {output: _result(case, shape, mats)}})

        return Prepared(bind, "a net of float32, image by image")


if __name__ == "__main__":
    serve(NCNN())
