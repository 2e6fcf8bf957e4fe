"""Compares regenerated golden files with the committed ones: the same bytes, or the same within the oracle's bound."""
import hashlib

import h5py
import numpy as np

from assay_golden import EXPECTED_GROUPS

# Between two machines PyTorch's float64 results differ by rounding alone. Relative to the largest element of the
# tensor this is sqrt(K) u for sums of up to 2^20 terms; gradients through fifty layers get the same.
RELATIVE = 2.0**10 * 2.0**-53


def report(names, made, committed):
    failures = 0
    for name in names:
        new, old = made / f"{name}.h5", committed / f"{name}.h5"
        if not old.exists():
            print(f"{name}: {old} is missing")
            failures += 1
        elif hashlib.sha256(new.read_bytes()).digest() == hashlib.sha256(old.read_bytes()).digest():
            print(f"{name}: the same bytes")
        else:
            found = list(differences(new, old))
            failures += bool(found)
            print(f"{name}: " + ("the same within the oracle's bound" if not found else "; ".join(found[:5])))
    return 1 if failures else 0


def differences(new, old):
    with h5py.File(new) as first, h5py.File(old) as second:
        paths = [set(), set()]
        for names, file in zip(paths, (first, second)):
            file.visit(names.add)
        for path in sorted(paths[0] ^ paths[1]):
            yield f"{path} is in one file only"
        for path in sorted(paths[0] & paths[1]):
            yield from _object_differences(path, first[path], second[path])


def _object_differences(path, new, old):
    expected = any(part in EXPECTED_GROUPS for part in path.split("/"))
    for key in sorted(set(new.attrs) | set(old.attrs)):
        if key not in new.attrs or key not in old.attrs or not _close(new.attrs[key], old.attrs[key], expected):
            yield f"{path}: attribute {key}"
    if isinstance(new, h5py.Dataset) and new.shape is not None:
        if new.shape != old.shape or new.dtype != old.dtype:
            yield f"{path}: shape or type"
        elif not _close(new[()], old[()], expected):
            yield f"{path}: values"


def _close(new, old, expected):
    new, old = np.asarray(new), np.asarray(old)
    if new.dtype.kind != "f" or not expected:
        return np.array_equal(new, old, equal_nan=new.dtype.kind == "f")
    special = ~np.isfinite(old)
    if not np.array_equal(new[special], old[special], equal_nan=True):
        return False
    scale = np.abs(old[~special]).max(initial=0)
    return bool(np.all(np.abs(new[~special] - old[~special]) <= RELATIVE * scale))
