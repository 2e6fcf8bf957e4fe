"""Writes Assay golden files (schema 1, described in ../FORMAT.md).

Needs h5py and NumPy only, so that any producer can use it:

    with GoldenFile("mine.h5", generator="my framework 1.0", script=__file__, seed=1) as file:
        file.case("/relu/small", "relu", inputs={"x": x}, outputs={"y": y})

The bytes depend on nothing but the arguments: no time stamps, groups and attributes in sorted order, one fixed
file-format version and compression level.
"""
import ctypes
import hashlib
import os

import h5py
import numpy as np

SCHEMA, SCHEMA_VERSION = "assay.golden", 1
GROUPS = ("inputs", "parameters", "buffers", "outputs", "buffers_after", "upstream", "gradients")
STIMULUS_GROUPS = ("inputs", "parameters", "buffers", "upstream")
EXPECTED_GROUPS = ("outputs", "buffers_after", "gradients")
FILLS = ("exact", "random", "adversarial")
ERROR_CATEGORIES = ("shape_mismatch", "invalid_argument", "unsupported_dtype", "index_out_of_range")
CHUNK_ABOVE_BYTES = 4096
CHUNK_BYTES = 65536
GZIP_LEVEL = 9


def splitmix64_uniform(shape, seed, low, high):
    """The procedural fill: element i is float32(low + (high - low) * u), in float64, without fused multiply-add."""
    count = int(np.prod(shape, dtype=np.int64))
    with np.errstate(over="ignore"):
        index = np.arange(1, count + 1, dtype=np.uint64)
        z = np.uint64(seed) + index * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit = (z >> np.uint64(40)).astype(np.float64) * 2.0**-24
    product = (np.float64(high) - np.float64(low)) * unit
    return (np.float64(low) + product).astype(np.float32).reshape(shape)


def _assert_test_vectors():
    vectors = {
        (42, -1.0, 1.0): ("3ef75cc8", "bf2e203a", "bee2b664", "3ec14f14"),
        (7, -0.1, 0.3): ("3d6518d3", "bdbf0c0d", "3e85469a", "3e1d711e"),
    }
    for (seed, low, high), expected in vectors.items():
        bits = splitmix64_uniform((1000001,), seed, low, high)[[0, 1, 2, 1000000]].view(np.uint32)
        found = tuple(f"{b:08x}" for b in bits)
        if found != expected:
            raise AssertionError(f"splitmix64-uniform seed {seed}: expected {expected}, found {found}")


_assert_test_vectors()


class Procedural:
    """A tensor that the reader computes for itself; the file holds only the recipe."""

    def __init__(self, shape, seed, low, high):
        self.shape = tuple(int(n) for n in shape)
        self.seed, self.low, self.high = int(seed), float(low), float(high)

    def array(self):
        return splitmix64_uniform(self.shape, self.seed, self.low, self.high)


class BFloat16:
    """A tensor of bfloat16 by its bit patterns (NumPy has no such type), stored as HDF5's float or as marked integers."""

    def __init__(self, patterns, as_integers=False):
        self.patterns, self.as_integers = np.asarray(patterns, dtype="<u2"), as_integers

    def array(self):
        return (self.patterns.astype(np.uint32) << 16).view(np.float32)

    @staticmethod
    def hdf5_type():
        kind = h5py.h5t.IEEE_F16LE.copy()
        kind.set_fields(15, 7, 8, 0, 7)
        kind.set_ebias(127)
        return kind


class Sampled:
    """Some elements of an expected tensor, and its sum, l2 norm and largest magnitude."""

    def __init__(self, tensor, count=256, seed=0):
        flat = np.asarray(tensor, dtype=np.float64).reshape(-1)
        if not np.all(np.isfinite(flat)):
            raise ValueError("a sampled tensor must be finite")
        self.shape = np.asarray(tensor).shape
        rng = np.random.Generator(np.random.PCG64(seed))
        # The first and last element always: a wrong extent shows there.
        ends = [0, flat.size - 1]
        drawn = rng.choice(flat.size, size=min(count, flat.size), replace=False)
        self.indices = np.unique(np.concatenate([ends, drawn])).astype(np.int64)
        self.values = flat[self.indices]
        self.l2_norm = float(np.sqrt(np.sum(np.square(flat.astype(np.longdouble)))))
        self.sum = float(np.sum(flat.astype(np.longdouble)))
        self.abs_max = float(np.max(np.abs(flat)))


class GoldenFile:
    """A golden file being written; the file appears under its name only when the block ends without an error."""

    def __init__(self, path, *, generator, script, seed, oracle_dtype="float64", description=None, license=None):
        with open(script, "rb") as source:
            digest = hashlib.sha256(source.read()).hexdigest()
        self.path = path
        self.case_count = 0
        self._attributes = {
            "schema": SCHEMA, "schema_version": SCHEMA_VERSION, "generator": generator,
            "generator_script": os.path.basename(script), "generator_sha256": digest,
            "oracle_dtype": oracle_dtype, "seed": seed, "description": description, "license": license,
        }
        self._temporary = f"{path}.tmp"
        access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        access.set_libver_bounds(h5py.h5f.LIBVER_V18, h5py.h5f.LIBVER_V18)
        access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
        creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
        creation.set_obj_track_times(False)
        identifier = h5py.h5f.create(self._temporary.encode(), h5py.h5f.ACC_TRUNC, fcpl=creation, fapl=access)
        self._file = h5py.File(identifier)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            _write_attributes(self._file, {**self._attributes, "case_count": self.case_count})
        self._file.close()
        if kind is None:
            os.replace(self._temporary, self.path)
        else:
            os.remove(self._temporary)

    def case(self, name, operation, *, attributes=None, fill="adversarial", tags=(), expect_error=None,
             dataset_attributes=None, extra=None, **groups):
        """Adds one case. `groups` are dictionaries by group name, of arrays, `Procedural` or `Sampled`.

        `dataset_attributes` maps "group/name" to attributes such as atol, rtol, tolerance_reason, equal_nan;
        `extra` maps paths outside the schema's groups (which readers ignore) to arrays.
        """
        if fill not in FILLS:
            raise ValueError(f"{name}: unknown fill {fill!r}")
        if expect_error is not None and expect_error not in ERROR_CATEGORIES:
            raise ValueError(f"{name}: unknown error category {expect_error!r}")
        unknown = set(groups) - set(GROUPS)
        if unknown:
            raise ValueError(f"{name}: unknown groups {sorted(unknown)}")
        case = _make_group(self._file, name.strip("/"))
        own = {"operation": operation, "fill": fill, "expect_error": expect_error, **(attributes or {})}
        if tags:
            own["tags"] = sorted(tags)
        _write_attributes(case, own)
        for group in sorted(groups):
            for key in sorted(groups[group] or {}):
                value = groups[group][key]
                if group in STIMULUS_GROUPS and expect_error is None:
                    _require_float32_values(f"{name}/{group}/{key}", value)
                target = _write_tensor(_make_group(case, group), key, value)
                _write_attributes(target, (dataset_attributes or {}).get(f"{group}/{key}", {}))
        for path in sorted(extra or {}):
            parent, _, key = path.rpartition("/")
            _write_tensor(_make_group(case, parent), key, extra[path])
        self.case_count += 1


def _require_float32_values(where, value):
    if isinstance(value, (Procedural, BFloat16)) or np.asarray(value).dtype.kind != "f":
        return
    wide = np.asarray(value, dtype=np.float64)
    with np.errstate(over="ignore"):
        if not np.array_equal(wide, wide.astype(np.float32).astype(np.float64), equal_nan=True):
            raise ValueError(f"{where}: not every value is representable in float32")


def _make_group(parent, path):
    for part in filter(None, path.split("/")):
        if part not in parent:
            creation = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
            creation.set_obj_track_times(False)
            h5py.h5g.create(parent.id, part.encode(), gcpl=creation)
        parent = parent[part]
    return parent


def _write_attributes(target, attributes):
    for key in sorted(attributes):
        value = attributes[key]
        if value is None:
            continue
        if isinstance(value, str):
            encoded = value.encode()
            target.attrs.create(key, np.bytes_(encoded), dtype=h5py.string_dtype("utf-8", max(1, len(encoded))))
        elif isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
            encoded = [v.encode() for v in value]
            width = max([1] + [len(v) for v in encoded])
            target.attrs.create(key, np.array(encoded, dtype=f"S{width}"), shape=(len(encoded),),
                                dtype=h5py.string_dtype("utf-8", width))
        elif isinstance(value, (bool, np.bool_)):
            target.attrs.create(key, np.bool_(value))
        elif isinstance(value, (int, np.integer)):
            target.attrs.create(key, value, dtype="<u8" if value >= 2**63 else "<i8")
        elif isinstance(value, float):
            target.attrs.create(key, value, dtype="<f8")
        else:
            array = np.asarray(value)
            target.attrs.create(key, array, dtype="<i8" if array.dtype.kind in "iu" else "<f8")


def _write_tensor(parent, key, value):
    if isinstance(value, Procedural):
        dataset = parent.create_dataset(key, data=h5py.Empty("<f4"))
        _write_attributes(dataset, {
            "procedural": "splitmix64-uniform", "shape": np.asarray(value.shape, dtype=np.int64).reshape(-1),
            "low": value.low, "high": value.high})
        dataset.attrs.create("seed", np.uint64(value.seed), dtype="<u8")
        return dataset
    if isinstance(value, BFloat16):
        if value.as_integers:
            dataset = parent.create_dataset(key, data=value.patterns, track_times=False)
            dataset.attrs.create("bfloat16", 1, dtype="<i8")
            return dataset
        kind = value.hdf5_type()
        dataset = parent.create_dataset(key, shape=value.patterns.shape, dtype=h5py.Datatype(kind), track_times=False)
        if value.patterns.size:
            dataset.id.write(h5py.h5s.ALL, h5py.h5s.ALL, value.patterns, mtype=kind)
        return dataset
    if isinstance(value, Sampled):
        group = _make_group(parent, key)
        _write_attributes(group, {
            "shape": np.asarray(value.shape, dtype=np.int64).reshape(-1), "l2_norm": value.l2_norm,
            "sum": value.sum, "abs_max": value.abs_max})
        _write_tensor(group, "indices", value.indices)
        _write_tensor(group, "values", value.values)
        return group
    array = np.ascontiguousarray(value)
    # ascontiguousarray turns a scalar into one element; the schema's losses are scalars.
    array = array.reshape(np.shape(value))
    array = array.astype(array.dtype.newbyteorder("<"))
    if array.nbytes <= CHUNK_ABOVE_BYTES:
        return _write_small(parent, key, array)
    return parent.create_dataset(key, data=array, chunks=_chunk_shape(array), shuffle=True, fletcher32=True,
                                 compression="gzip", compression_opts=GZIP_LEVEL, track_times=False)


def _write_small(parent, key, array):
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_obj_track_times(False)
    if _LIBRARY is not None:
        _LIBRARY.H5Pset_dset_no_attrs_hint(ctypes.c_int64(creation.id), ctypes.c_bool(True))
    kind, space = h5py.h5t.py_create(array.dtype), h5py.h5s.create_simple(array.shape)
    if array.shape == ():
        space = h5py.h5s.create(h5py.h5s.SCALAR)
    dataset = h5py.h5d.create(parent.id, key.encode(), kind, space, dcpl=creation)
    if array.size:
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, array)
    return h5py.Dataset(dataset)


def _hdf5_library():
    """h5py's own libhdf5, for a setting that h5py does not offer: no room in advance for a dataset's attributes.

    That room is 200 bytes for each of tens of thousands of small datasets. Without it files are larger, no more.
    """
    try:
        with open("/proc/self/maps") as maps:
            paths = sorted({line.split()[-1] for line in maps if "libhdf5-" in line or "libhdf5.so" in line})
        library = ctypes.CDLL(paths[0])
        library.H5Pset_dset_no_attrs_hint.argtypes = [ctypes.c_int64, ctypes.c_bool]
        return library
    except (OSError, IndexError, AttributeError):
        return None


_LIBRARY = _hdf5_library()


def _chunk_shape(array):
    """Whole trailing axes, leading ones cut until a chunk fits CHUNK_BYTES."""
    shape = list(array.shape)
    for axis in range(len(shape)):
        others = int(np.prod(shape[axis + 1:], dtype=np.int64)) * array.itemsize
        shape[axis] = max(1, min(shape[axis], CHUNK_BYTES // others if others else 1))
        if shape[axis] > 1 or others <= CHUNK_BYTES:
            break
    return tuple(shape)
