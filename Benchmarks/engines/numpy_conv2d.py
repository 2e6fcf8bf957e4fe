"""A convolution of NumPy's as an engine, from nothing to a verdict:

    assay verify --engine numpy='python Benchmarks/engines/numpy_conv2d.py' --filter 'conv2d/*'
"""

import os
import sys
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # one thread, however many are asked for
sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))  # not needed where the package is installed
import assay_engine as assay
import numpy as np


@assay.operation("conv2d")
def conv2d(x, weight, bias=None, *, stride, padding, dilation, groups):
    span = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:])]
    words = {"valid": [(0, 0)] * 2, "same": [(s // 2, s - s // 2) for s in span]}
    padded = np.pad(x, [(0, 0), (0, 0), *(words.get(padding) or zip(padding, padding))])
    windows = np.lib.stride_tricks.sliding_window_view(padded, [s + 1 for s in span], (2, 3))
    windows = windows[:, :, ::stride[0], ::stride[1], ::dilation[0], ::dilation[1]]
    split = [np.split(array, groups, axis) for array, axis in ((windows, 1), (weight, 0))]
    parts = [np.einsum("nchwrs,kcrs->nkhw", *part, optimize=True) for part in zip(*split)]
    return np.concatenate(parts, 1) + (0 if bias is None else bias[:, None, None])


assay.serve(name="numpy", version=np.__version__, dtypes=("float32", "float64"))
