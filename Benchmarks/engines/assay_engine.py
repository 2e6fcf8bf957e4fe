"""Assay's engine protocol, version 1, for engines in Python: one JSON object a line on stdin and stdout.

An engine is a subclass of Engine that overrides `compute` and, where it can be timed, `prepare`; `serve(engine)` does the rest.

Floats come as float64, float32, float16 or bfloat16. NumPy has no bfloat16: such a tensor is an array of uint16, its bit
patterns, here and in what `compute` returns; `float32_of` and `bfloat16_of` convert. No other tensor is uint16. In an
exercise of 16 bits some tensors are float32 (running statistics, the parameters of norms, class weights, losses): each
tensor has the type that its file says.
"""

import json
import os
import sys
import time
import traceback
from dataclasses import dataclass, field

import h5py
import numpy as np


class Unsupported(Exception):
    """The engine cannot do what was asked; the text says why."""


class Refused(Exception):
    """The input has no result. `category` is one of shape_mismatch, invalid_argument, unsupported_dtype, index_out_of_range."""

    def __init__(self, category, message):
        super().__init__(message)
        self.category = category


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
        values = [int(v) for v in np.asarray(self.attributes.get(name, default)).reshape(-1)]
        if len(values) not in (1, 2):
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


def _bfloat16_in_hdf5():
    kind = h5py.h5t.IEEE_F16LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_ebias(127)
    return kind


_BFLOAT16 = _bfloat16_in_hdf5()


def _read(dataset):
    stored = dataset.id.get_type()
    if isinstance(stored, h5py.h5t.TypeFloatID) and stored.get_fields() == _BFLOAT16.get_fields():
        patterns = np.empty(dataset.shape, dtype=np.uint16)
        if patterns.size:
            dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, patterns, mtype=_BFLOAT16)
        return patterns
    value = np.asarray(dataset[()])
    if value.dtype.kind in "iu" and not dataset.attrs.get("bfloat16", False):
        return value.astype(np.int64)
    return value.astype(value.dtype.newbyteorder("="))


def _write(group, name, value):
    value = np.asarray(value)
    if value.dtype != np.uint16:
        group.create_dataset(name, data=value)
        return
    dataset = group.create_dataset(name, shape=value.shape, dtype=h5py.Datatype(_BFLOAT16))
    if value.size:
        dataset.id.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(value), mtype=_BFLOAT16)


def read_case(file, path, dtype):
    with h5py.File(file, "r") as f:
        group = f[path]
        case = Case(path=path, operation=str(group.attrs["operation"]), dtype=dtype, attributes=dict(group.attrs))
        for name in ("inputs", "parameters", "buffers", "upstream"):
            for key, data in group.get(name, {}).items():
                getattr(case, name)[key] = _read(data)
    return case


def write_answer(file, path, groups):
    """`groups`: {"outputs": {"y": array}, "gradients": {…}, "buffers_after": {…}}."""
    with h5py.File(file, "w") as f:
        case = f.require_group(path)
        for name, tensors in groups.items():
            for key, value in tensors.items():
                _write(case, f"{name}/{key}", value)


class Engine:
    name = "unnamed"
    version = "0"
    operations = ()
    dtypes = ("float32",)
    passes = ("forward",)
    omits = ()
    nonfinite = True
    deterministic = True
    info = {}

    def compute(self, case, passes, threads):
        """Returns the groups of `write_answer`. Raises Unsupported or Refused."""
        raise Unsupported("nothing is computed")

    def prepare(self, case, timed_pass, layout, threads):
        """Returns (run, description): `run()` does the operation once, and nothing else. Raises Unsupported."""
        raise Unsupported("nothing is timed")


def fastest(candidates, rounds=5):
    """The fastest of {description: run} by the best of a few runs, so that a framework is shown at its best."""
    best = {}
    for description, run in candidates.items():
        run()
        times = []
        for _ in range(rounds):
            start = time.perf_counter_ns()
            run()
            times.append(time.perf_counter_ns() - start)
        best[description] = min(times)
    description = min(best, key=best.get)
    return candidates[description], description


_flush = None


def _flush_caches():
    global _flush
    if _flush is None:
        _flush = np.zeros(32 << 20, dtype=np.float64)
    _flush += 1.0


class _Server:
    def __init__(self, engine):
        self.engine = engine
        self.prepared = {}
        self.handles = 0

    def hello(self, p):
        e = self.engine
        if p["protocol"] != 1:
            raise Refused("invalid_argument", f"protocol: expected 1, found {p['protocol']}")
        return dict(
            name=e.name, version=e.version, operations=sorted(e.operations), dtypes=list(e.dtypes),
            passes=list(e.passes), omits=list(e.omits), nonfinite=e.nonfinite, deterministic=e.deterministic,
            info=e.info,
        )

    def _case(self, p):
        case = read_case(p["file"], p["case"], p["dtype"])
        if case.operation not in self.engine.operations:
            raise Unsupported(f"{self.engine.name} does not do {case.operation}")
        return case

    def compute(self, p):
        write_answer(p["output"], p["case"], self.engine.compute(self._case(p), p["passes"], p["threads"]))
        return {}

    def prepare(self, p):
        run, description = self.engine.prepare(self._case(p), p["pass"], p["layout"], p["threads"])
        run()
        self.handles += 1
        self.prepared[str(self.handles)] = run
        return {"handle": str(self.handles), "description": description}

    def time(self, p):
        run, times = self.prepared[p["handle"]], []
        for _ in range(p["iterations"]):
            if p["cold"]:
                _flush_caches()
            start = time.perf_counter_ns()
            run()
            times.append(time.perf_counter_ns() - start)
        return {"nanoseconds": times}

    def release(self, p):
        self.prepared.pop(p["handle"], None)
        return {}


def serve(engine):
    # Replies have a descriptor of their own: whatever a framework prints goes to the log.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    server = _Server(engine)
    methods = {name: getattr(server, name) for name in ("hello", "compute", "prepare", "time", "release")}
    for line in sys.stdin:
        request = json.loads(line)
        reply = {"id": request["id"]}
        try:
            if request["method"] not in methods:
                raise Unsupported(f"method {request['method']}")
            reply["result"] = methods[request["method"]](request["params"])
        except Unsupported as error:
            reply["unsupported"] = str(error)
        except Refused as error:
            reply["error"] = {"category": error.category, "message": str(error)}
        except Exception as error:  # A failure of the engine is no refusal of the input.
            traceback.print_exc()
            reply["error"] = {"category": "internal", "message": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
