"""What an engine is: it computes cases, and prepares operations that are then timed."""

import numpy as np

from .marks import mark, marked
from .refusals import Unsupported


class Engine:
    """A whole engine. A subclass overrides `compute` and, where it can be timed, `prepare`; `serve` does the rest."""

    name = "unnamed"
    version = "0"
    device = "cpu"
    operations = ()
    dtypes = ("float32",)
    passes = ("forward",)
    omits = ()
    nonfinite = True
    denormals = True
    deterministic = True
    # How sums of products are computed, by operation, which says what error bound a correct run may use:
    # {"conv2d": {"kinds": ["direct", "winograd"], "winograd": {"4x3": {"points": [0, 1, -1, 0.5, -2]}}}}. Empty: term by
    # term.
    algorithm = {}
    # Shown as it is. `accumulate` in it says what 16-bit types are summed in.
    info = {}
    # Called after each timed run, before the clock is read, and once before the first: waits for a device's work. In a
    # class it is a staticmethod.
    synchronize = None

    def compute(self, case, passes, threads, wanted=()):
        """Returns the groups of `write_answer`. `wanted` names what is compared (`outputs/y`); empty means everything.
        Raises Unsupported or Refused."""
        raise Unsupported("nothing is computed")

    def prepare(self, case, timed_pass, layout, threads):
        """Returns a Prepared. Of the case's inputs and cotangents only shapes and types may be used: the numbers are
        stand-ins that candidates can be tried on, and are never timed. Raises Unsupported or Refused."""
        raise Unsupported("nothing is timed")


class Prepared:
    """An operation that is ready for sets of operands.

    `bind(inputs, upstream)` returns the Run of one set. The arrays are the set's own and stay where they are: later
    numbers are written into them.

    Once after `prepare` a run on the stand-ins is tried. An operation that goes on from run to run, as training does, gives
    `start()`, which is called after that and puts it back to where the case begins.
    """

    def __init__(self, bind, description="", workspace_bytes=0, start=None):
        self.bind, self.description, self.workspace_bytes, self.start = bind, description, workspace_bytes, start


class Run:
    """The operation on one set of operands.

    - `call()` does the operation once, and nothing else: it is what the clock is around. It returns its result, or None
      where it fills `buffers`.
    - `answer(result)` gives the groups of `write_answer` of what `call` returned.
    - `buffers`: arrays of the set that `call` fills.
    - `refresh()`, where there is one, takes over numbers that changed in the set's arrays: for operands in a layout of
      the engine's own. It does no part of the operation, and may set another `call`.
    """

    def __init__(self, call, answer, buffers=(), refresh=None):
        self.call, self.answer, self.buffers, self.refresh = call, answer, tuple(buffers), refresh


class LoadedSet:
    """A set of operands with outputs of its own: the Run's buffers, or what the last timed run returned."""

    def __init__(self, run, inputs, upstream, template):
        self.run, self.inputs, self.upstream, self.template = run, inputs, upstream, template
        self.result = self.unwritten = None
        self.fill()

    def fill(self):
        """After a load: every output is the unwritten mark, also where a framework allocates its results, whose
        allocator then finds memory that was touched, in the first slice as in the later ones."""
        self.mark()
        if not self.run.buffers:
            self.unwritten = _marked_like(self.template)

    def mark(self):
        """Before a slice: nothing of an earlier run is left. A result that the framework allocated is dropped."""
        self.result = self.unwritten = None
        for buffer in self.run.buffers:
            mark(buffer)

    def answer(self):
        """What the last timed run left; marks where there was none."""
        if self.result is None and not self.run.buffers:
            return self.unwritten or _marked_like(self.template)
        return self.run.answer(self.result)


def _marked_like(groups):
    return {
        group: {name: marked(np.shape(value), np.asarray(value).dtype) for name, value in tensors.items()}
        for group, tensors in groups.items()
    }


class PreparedOperation:
    """A Prepared with its sets, as the serving loop keeps it."""

    def __init__(self, prepared, case):
        self.prepared, self.path, self.sets = prepared, case.path, {}
        # Once, on the stand-ins: what a framework does at its first call is done, and the answer's shapes are known.
        trial = prepared.bind(case.inputs, case.upstream)
        self.template = trial.answer(trial.call())
        if prepared.start is not None:
            prepared.start()

    def load(self, index, read):
        """`read(inputs, upstream)` puts the numbers into a set's arrays, or makes these."""
        loaded = self.sets.get(index)
        if loaded is None:
            inputs, upstream = {}, {}
            read(inputs, upstream)
            self.sets[index] = LoadedSet(self.prepared.bind(inputs, upstream), inputs, upstream, self.template)
            return
        read(loaded.inputs, loaded.upstream)
        if loaded.run.refresh is not None:
            loaded.run.refresh()
        loaded.fill()

    def set(self, index):
        if index not in self.sets:
            raise ValueError(f"set {index}: expected one that was loaded, found {sorted(self.sets) or 'none'}")
        return self.sets[index]
