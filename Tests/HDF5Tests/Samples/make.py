"""Writes h5py.h5: a file of h5py's own making, in libhdf5's oldest format, which the tests read. Needs h5py and numpy."""

import h5py
import numpy as np

with h5py.File("h5py.h5", "w") as f:
    f.attrs["flag"] = True
    f.attrs["flags"] = np.array([True, False, True])
    f.attrs["name"] = "Grüße"
    f.attrs["bytes"] = np.bytes_("fixed")
    f.attrs["list"] = ["a", "bc", ""]
    f.attrs["count"] = 7
    f.attrs["one"] = np.array([3], dtype=">i2")
    f.attrs["eps"] = np.float32(0.5)
    f.attrs["nothing"] = h5py.Empty("f4")
    f.attrs["big"] = np.uint64(2**64 - 1)
    f.create_dataset("big_endian", data=np.arange(6, dtype=">f8").reshape(2, 3))
    f.create_dataset("half", data=np.array([1.5, -0.0, np.inf, 2**-24, np.nan], dtype="f2"))
    f.create_dataset("mask", data=np.array([True, False]))
    f.create_dataset("words", data=["x", "yy"], dtype=h5py.string_dtype())
    f.create_dataset("unwritten", shape=(4,), dtype="f4")
    f.create_dataset("packed", data=np.arange(5000, dtype="i4"), chunks=(512,), shuffle=True, compression="gzip", fletcher32=True)
    f.create_dataset("scaled", data=np.arange(64, dtype="i4"), chunks=(64,), scaleoffset=8)
    f.create_group("inner").attrs["depth"] = 1
    f["soft"] = h5py.SoftLink("/big_endian")
    f["external"] = h5py.ExternalLink("other.h5", "/x")
    f["inner/again"] = f["inner"]
    f.create_dataset("outside", shape=(4,), dtype="f4", external=[("outside.raw", 0, 16)])
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4,))
    f.create_virtual_dataset("virtual", layout)
