"""bfloat16, which NumPy lacks: arrays of uint16 hold its bit patterns."""

import h5py
import numpy as np


def float32_of(patterns):
    """The values of bfloat16 patterns, exactly."""
    return (np.asarray(patterns, dtype=np.uint16).astype(np.uint32) << 16).view(np.float32)


def bfloat16_of(values):
    """The patterns of the nearest bfloat16 values, ties to even. A NaN stays one, with its sign and leading bits."""
    values = np.asarray(values)
    with np.errstate(over="ignore", invalid="ignore"):
        single = np.asarray(values, dtype=np.float32)
    bits = single.view(np.uint32)
    if values.dtype == np.float64:
        # To float32 by truncation with a sticky last bit, so that a float64 is rounded once and not twice.
        above = (np.abs(single.astype(np.float64)) > np.abs(values)).astype(np.uint32)
        bits = np.where(np.isnan(values) | (single == values), bits, (bits - above) | 1)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    return np.where(np.isnan(values), (bits >> 16) | 0x40, rounded).astype(np.uint16)


def widened(array):
    """Floats as float64, bfloat16's patterns as their values; integers as they are."""
    if array.dtype == np.int64:
        return array
    return (float32_of(array) if array.dtype == np.uint16 else array).astype(np.float64)


def _type_in_hdf5():
    kind = h5py.h5t.IEEE_F16LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_ebias(127)
    return kind


# The float of 8 exponent and 7 mantissa bits, in which files hold bfloat16.
BFLOAT16_IN_HDF5 = _type_in_hdf5()


def is_bfloat16(dataset):
    """Whether a dataset holds bfloat16, as a float or as marked bit patterns."""
    stored = dataset.id.get_type()
    if isinstance(stored, h5py.h5t.TypeFloatID):
        return stored.get_fields() == BFLOAT16_IN_HDF5.get_fields()
    return bool(dataset.attrs.get("bfloat16", False))
