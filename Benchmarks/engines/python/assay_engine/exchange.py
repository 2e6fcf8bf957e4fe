"""The exchange files: what is asked, what arrives late, and what is answered.

Floats come as float64, float32, float16 or bfloat16. NumPy has no bfloat16: such a tensor is an array of uint16, its
bit patterns, here and in what an engine answers; `float32_of` and `bfloat16_of` convert. No other tensor is uint16. In
an exercise of 16 bits some tensors are float32 (running statistics, the parameters of norms, class weights, losses):
each tensor has the type that its file says.
"""

import contextlib
import os
from dataclasses import dataclass, field

import h5py
import numpy as np

from .refusals import Refused
from .sixteen_bits import BFLOAT16_IN_HDF5, is_bfloat16


# What an operation is given, by the groups of a case.
GROUPS = ("inputs", "parameters", "buffers", "upstream")
_ANSWERS = ("outputs", "gradients", "buffers_after")
# What is made of a path on the way to a dataset.
_PATHS = h5py.h5p.create(h5py.h5p.LINK_CREATE)
_PATHS.set_create_intermediate_group(True)


@dataclass
class Case:
    """One case of an exchange file: what is to be computed, without the answers."""

    path: str
    operation: str
    dtype: str
    attributes: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    buffers: dict = field(default_factory=dict)
    upstream: dict = field(default_factory=dict)

    def integer(self, name, default):
        return int(np.asarray(self.attributes.get(name, default)).reshape(-1)[0])

    def real(self, name, default):
        return float(np.asarray(self.attributes.get(name, default)).reshape(-1)[0])

    def boolean(self, name, default):
        return bool(np.asarray(self.attributes.get(name, default)).reshape(-1)[0])

    def pair(self, name, default):
        """Two integers; one stands for both."""
        return self._both(name, default, int)

    def reals(self, name, default):
        """Two real numbers; one stands for both."""
        return self._both(name, default, float)

    def _both(self, name, default, kind):
        values = np.asarray(self.attributes.get(name, default)).reshape(-1).tolist()
        if len(values) in (1, 2) and all(isinstance(value, (int, float)) for value in values):
            values = [kind(value) for value in values]
        else:
            raise Refused("invalid_argument", f"{name}: expected one or two numbers, found {values}")
        return (values[0], values[-1])

    def string(self, name, default=None):
        value = np.asarray(self.attributes.get(name, default)).reshape(-1)[0]
        return value.decode() if isinstance(value, bytes) else str(value)

    def padding(self):
        """A pair, or "same" or "valid"."""
        value = np.asarray(self.attributes.get("padding", 0))
        # A word may come as an array of one, whatever kind of string the file's writer has.
        return self.string("padding") if value.dtype.kind in "OSU" else self.pair("padding", 0)


def _shape(dataset):
    """Of a tensor whose numbers come later: a null dataspace and an attribute; `None` where the numbers are here."""
    if dataset.shape is not None:
        return None
    shape = dataset.attrs["shape"]
    return () if isinstance(shape, h5py.Empty) else tuple(int(n) for n in np.asarray(shape).reshape(-1))


def _dtype(dataset):
    """The type of the array that a dataset is read into."""
    if is_bfloat16(dataset):
        return np.dtype(np.uint16)
    return np.dtype(np.int64) if dataset.dtype.kind in "iub" else dataset.dtype.newbyteorder("=")


def _stand_in(shape, dtype):
    """Numbers for a tensor of which only the shape is known: between −1 and 1, so that they cost what others do; an
    index is 0, which every number of classes has."""
    if dtype == np.int64:
        return np.zeros(shape, dtype)
    block = np.linspace(-1, 1, 1024, dtype=np.float32)
    if dtype == np.uint16:
        block = (block.view(np.uint32) >> 16).astype(np.uint16)
    return np.resize(block.astype(dtype, copy=False), shape)


def _read(dataset, into=None):
    """The numbers of a dataset, in a new array or in the one that an earlier set left."""
    dtype = _dtype(dataset)
    if (shape := _shape(dataset)) is not None:
        return _stand_in(shape, dtype)
    array = np.empty(dataset.shape, dtype) if into is None else into
    if (array.shape, array.dtype) != (dataset.shape, dtype):
        raise ValueError(f"{dataset.name}: expected {array.dtype} {array.shape}, found {dtype} {dataset.shape}")
    if array.size == 0:
        return array
    if dtype != np.uint16:
        dataset.read_direct(array) if array.shape else np.copyto(array, dataset[()])
    else:
        kind = BFLOAT16_IN_HDF5 if dataset.dtype.kind == "f" else None
        dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, array, mtype=kind)
    return array


def _write(group, name, value):
    value = np.asarray(value, order="C")
    kind = BFLOAT16_IN_HDF5 if value.dtype == np.uint16 else h5py.h5t.py_create(value.dtype, logical=True)
    space = h5py.h5s.create_simple(value.shape) if value.shape else h5py.h5s.create(h5py.h5s.SCALAR)
    dataset = h5py.h5d.create(group.id, name.encode(), kind, space, lcpl=_PATHS)
    if value.size:
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, value, mtype=kind)


def read_case(file, path, dtype):
    """What is asked. A tensor that is a shape alone reads as a stand-in of that shape."""
    with h5py.File(file, "r") as f:
        group = f[path]
        case = Case(path=path, operation=str(group.attrs["operation"]), dtype=dtype, attributes=dict(group.attrs))
        for name in GROUPS:
            getattr(case, name).update(_read_group(group, name))
    return case


def read_late(file, path, inputs, upstream):
    """Puts a file's inputs and cotangents into the arrays of a set, which stay where they are; those that are not there
    yet are made."""
    late = (("inputs", inputs), ("upstream", upstream))
    if not inputs and not upstream:
        with h5py.File(file, "r") as f:
            for name, arrays in late:
                arrays.update(_read_group(f[path], name))
        return
    with _opened(file) as f:
        for name, arrays in late:
            for key, array in arrays.items():
                _reload(h5py.h5d.open(f, f"{path}/{name}/{key}".encode()), array)


@contextlib.contextmanager
def _opened(file):
    """A file to read by the library's own calls: what h5py's objects cost is three quarters of a small load."""
    opened = h5py.h5f.open(os.fsencode(file), h5py.h5f.ACC_RDONLY)
    try:
        yield opened
    finally:
        opened.close()


def _reload(dataset, array):
    """New numbers for an array of the same type and shape; whatever is not plain is read as at the first time."""
    if array.size and array.dtype.kind == "f" and dataset.shape == array.shape and dataset.dtype == array.dtype:
        dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, array)
    else:
        _read(h5py.Dataset(dataset), array)


def _read_group(case, name):
    return {key: _read(data) for key, data in case.get(name, {}).items()}


def read_answer(file, path):
    """The groups that `write_answer` wrote."""
    with h5py.File(file, "r") as f:
        return {name: _read_group(f[path], name) for name in _ANSWERS if name in f[path]}


def write_tensors(case, groups):
    """`groups`: {"outputs": {"y": array}, "gradients": {…}, "buffers_after": {…}}."""
    for name, tensors in groups.items():
        for key, value in tensors.items():
            _write(case, f"{name}/{key}", value)


def write_answer(file, path, groups):
    """An answer file, of what `write_tensors` takes."""
    with h5py.File(h5py.h5f.create(os.fsencode(file), h5py.h5f.ACC_TRUNC)) as f:
        write_tensors(f.require_group(path), groups)
