"""Writes h5py.h5: a golden file as someone writes one who has read FORMAT.md and has h5py. Needs h5py and numpy."""

import h5py
import numpy as np

x = np.arange(-8, 8, dtype=">f4").reshape(1, 1, 4, 4)
with h5py.File("h5py.h5", "w") as f:
    f.attrs.update(schema="assay.golden", schema_version=1, generator="by hand", case_count=3)
    case = f.create_group("mine/relu")
    case.attrs.update(operation="relu", fill="exact", tags=["smoke"], note=np.array([(1, 2.0)], dtype="i4,f8")[0])
    case["inputs/x"], case["outputs/y"] = x, np.maximum(x, 0).astype("f8")
    case["notes/anything"] = np.ones(3)
    case = f.create_group("mine/pool")
    case.attrs.update(operation="max_pool2d", kernel_size=np.int8(2), ceil_mode=True, divisor_override=h5py.Empty("i4"))
    case["inputs/x"], case["outputs/y"] = x.astype("f2"), x[:, :, 1::2, 1::2].astype("f8")
    case = f.create_group("mine/loss")
    case.attrs.update(operation="cross_entropy", reduction=np.bytes_("mean"), label_smoothing=np.array([0], dtype="u1"))
    case["inputs/x"], case["inputs/target"] = np.zeros((2, 4), "f4"), np.array([1, 3], dtype=">u2")
    case["outputs/loss"] = np.array([np.log(4.0)])
