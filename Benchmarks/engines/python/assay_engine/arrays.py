"""Arrays of any framework to NumPy's and back, by DLPack."""

import ctypes

import numpy as np

from .sixteen_bits import float32_of

# DLPack's codes of types, and where a tensor's code stands in the structure that a capsule points to: after data (8
# bytes), device (8) and ndim (4).
_UINT, _BFLOAT = 1, 4
_CODE_AT = 20
_CPU = 1


class BFloat16:
    """A bfloat16 array: `torch.from_dlpack` and its like take it as it is, `numpy.asarray` as float32."""

    def __init__(self, patterns):
        self.patterns = patterns

    shape = property(lambda self: self.patterns.shape)
    ndim = property(lambda self: self.patterns.ndim)
    size = property(lambda self: self.patterns.size)
    dtype = "bfloat16"

    def __array__(self, dtype=None, copy=None):
        return float32_of(self.patterns).astype(dtype or np.float32, copy=False)

    def __dlpack_device__(self):
        return self.patterns.__dlpack_device__()

    def __dlpack__(self, **_):
        return _with_code(self.patterns.__dlpack__(), _BFLOAT)


def _pointer_to_code(capsule):
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    return ctypes.c_uint8.from_address(get(capsule, b"dltensor") + _CODE_AT)


def _with_code(capsule, code):
    _pointer_to_code(capsule).value = code
    return capsule


class _Exported:
    """A tensor that was exported already, for `numpy.from_dlpack`."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack_device__(self):
        return (_CPU, 0)

    def __dlpack__(self, **_):
        return self.capsule


def given(array):
    """What a function is given: NumPy's array, or a BFloat16 for one of patterns."""
    return BFloat16(array) if isinstance(array, np.ndarray) and array.dtype == np.uint16 else array


def to_numpy(value):
    """An array of a function's result: NumPy's own, one with DLPack (also on a device), or a number. bfloat16 becomes
    uint16, its patterns."""
    if isinstance(value, BFloat16):
        return value.patterns
    if isinstance(value, np.ndarray):
        # NumPy's own extensions of the type, such as ml_dtypes'.
        array = value.view(np.uint16) if str(value.dtype) == "bfloat16" else value
    elif hasattr(value, "__dlpack__"):
        array = _imported(value)
    else:
        array = np.asarray(value)
    return array.astype(np.int64) if array.dtype.kind in "iu" and array.dtype != np.uint16 else array


def _imported(value):
    if getattr(value, "requires_grad", False):
        value = value.detach()
    if value.__dlpack_device__()[0] != _CPU:
        # The frameworks' own words; the others are asked by DLPack.
        value = value.cpu() if hasattr(value, "cpu") else _Exported(value.__dlpack__(dl_device=(_CPU, 0), copy=True))
    capsule = value.__dlpack__()
    code = _pointer_to_code(capsule)
    if code.value == _BFLOAT:
        code.value = _UINT
    return np.from_dlpack(_Exported(capsule))
