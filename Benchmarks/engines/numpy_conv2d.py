"""A convolution of NumPy's as an engine, from nothing to a verdict:

    assay verify --engine numpy='python Benchmarks/engines/numpy_conv2d.py' --filter 'conv2d/*'
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))  # not needed where the package is installed
import assay_engine as assay
import numpy as np


@assay.operation("conv2d")
def conv2d(x, weight, bias=None, *, stride, padding, dilation, groups):
    span = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:])]
    edges = {"valid": [(0, 0)] * 2, "same": [(s // 2, s - s // 2) for s in span]}.get(padding) or [(p, p) for p in padding]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, [(0, 0), (0, 0), *edges]), [s + 1 for s in span], (2, 3))
    windows = windows[:, :, ::stride[0], ::stride[1], ::dilation[0], ::dilation[1]]
    split = [np.split(array, groups, axis) for array, axis in ((windows, 1), (weight, 0))]
    y = np.concatenate([np.einsum("nchwrs,kcrs->nkhw", part, kernel) for part, kernel in zip(*split)], 1)
    return y if bias is None else y + bias[:, None, None]


assay.serve(name="numpy", version=np.__version__, dtypes=("float32", "float64"))
