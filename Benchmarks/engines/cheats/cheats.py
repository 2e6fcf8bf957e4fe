"""Engines that cheat, and honest ones, for `assay selftest`: one convolution of NumPy's, and a few lines for each trick.

    assay verify --engine cheat='python Benchmarks/engines/cheats/cheats.py --trick by_hash' --filter 'conv2d/*'

Functions play their tricks wherever they are called. Engines know when they are timed; those that lie about time, or work
between requests, change the serving loop.
"""

import argparse
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
import h5py
import numpy as np
from assay_engine import Engine, Prepared, Run, keywords, require_sound
from assay_engine.functions import FunctionEngine, Functions
from assay_engine.serving import Server, serve_engine


def convolve(x, weight, bias=None, *, stride, padding, dilation, groups):
    span = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:])]
    words = {"valid": [(0, 0)] * 2, "same": [(s // 2, s - s // 2) for s in span]}
    padded = np.pad(x, [(0, 0), (0, 0), *(words.get(padding) or zip(padding, padding))])
    windows = np.lib.stride_tricks.sliding_window_view(padded, [s + 1 for s in span], (2, 3))
    windows = windows[:, :, ::stride[0], ::stride[1], ::dilation[0], ::dilation[1]]
    split = [np.split(array, groups, axis) for array, axis in ((windows, 1), (weight, 0))]
    parts = [np.einsum("nchwrs,kcrs->nkhw", *part) for part in zip(*split)]
    return np.concatenate(parts, 1) + (0 if bias is None else bias[:, None, None])


def keyed(key):
    """A function that answers what it answered before for the same key."""
    answers = {}

    def remembering(x, weight, bias=None, **attributes):
        place = key(x, weight)
        if place not in answers:
            answers[place] = convolve(x, weight, bias, **attributes)
        return answers[place]

    return remembering


def after(calls, otherwise):
    """A function that is right for so many calls."""
    count = 0

    def tiring(x, weight, bias=None, **attributes):
        nonlocal count
        count += 1
        return (convolve if count <= calls else otherwise)(x, weight, bias, **attributes)

    return tiring


def every_second():
    count, last = 0, {}

    def skipping(x, weight, bias=None, **attributes):
        nonlocal count
        count += 1
        if count % 2 or x.shape not in last:
            last[x.shape] = convolve(x, weight, bias, **attributes)
        return last[x.shape]

    return skipping


def one_buffer():
    """A function that answers in the same memory each time."""
    buffers = {}

    def reusing(x, weight, bias=None, **attributes):
        y = convolve(x, weight, bias, **attributes)
        buffer = buffers.setdefault(y.shape, y)
        buffer[...] = y
        return buffer

    return reusing


def stored():
    """A function that answers with the expected tensor of the golden case with these operands, or with nothing."""
    answers = {}
    with h5py.File(Path(__file__).resolve().parents[3] / "Fixtures/conv2d.h5") as file:
        paths = []
        file.visititems(lambda path, each: paths.append(path) if path.endswith("/outputs/y") else None)
        for case in (file[path.removesuffix("/outputs/y")] for path in paths):
            if all(getattr(case.get(name), "shape", None) is not None for name in ("inputs/x", "parameters/weight")):
                x, weight, y = (
                    case[name][()].astype(np.float32) for name in ("inputs/x", "parameters/weight", "outputs/y"))
                answers[x.tobytes(), weight.tobytes()] = y

    def answering(x, weight, bias=None, **_):
        return answers.get((x.tobytes(), weight.tobytes()), np.zeros((1, 1, 1, 1), x.dtype))

    return answering


def leave_core():
    """Takes this thread to cores that its process is held off, where there are any."""
    if hasattr(os, "sched_setaffinity"):
        others = set(range(os.cpu_count())) - os.sched_getaffinity(0)
        if others:
            os.sched_setaffinity(0, others)


def halves(x, weight, bias=None, **attributes):
    """Half of the images each, on two threads."""
    results = [None, None]

    def work(part, images):
        results[part] = convolve(images, weight, bias, **attributes)

    thread = threading.Thread(target=lambda: (leave_core(), work(1, x[len(x) // 2:])))
    thread.start()
    work(0, x[:len(x) // 2])
    thread.join()
    return np.concatenate(results)


def with_threads(x, weight, bias=None, *, threads, **attributes):
    return (halves if threads > 1 and len(x) > 1 else convolve)(x, weight, bias, **attributes)


def varying(*given, **more):
    """The last bit, but of sums that end in zeros, which are exact in any order."""
    y = convolve(*given, **more)
    return np.where(y.view(np.uint32) & 0xFF == 0, y, np.nextafter(y, np.float32(time.time_ns() // 100 & 1)))


FUNCTIONS = {
    "none": lambda: convolve,
    "threaded": lambda: with_threads,
    "by_hash": lambda: keyed(lambda x, weight: (x.shape, weight.shape, x.tobytes(), weight.tobytes())),
    "by_pointer": lambda: keyed(lambda x, weight: (x.shape, weight.shape, x.ctypes.data, weight.ctypes.data)),
    "first_three": lambda: after(3, lambda x, weight, bias=None, **_: np.zeros((1, 1, 1, 1), x.dtype)),
    "every_second": every_second,
    "one_buffer": one_buffer,
    "fixtures": stored,
    "two_threads": lambda: lambda x, *rest, **given: (halves if len(x) > 1 else convolve)(x, *rest, **given),
    "undeclared": lambda: varying,
}


class Cheat(Engine):
    """Computes honestly, and is timed by another way. A way is a function of the honest call that returns three more:
    what is done when a set's numbers come, when it is timed, and when it is collected."""

    name, version, operations, deterministic = "cheats", "1", ("conv2d",), True

    def __init__(self, way, at_prepare=lambda: None):
        self.way, self.at_prepare = way, at_prepare

    def compute(self, case, passes, threads, wanted=()):
        require_sound(case)
        return {"outputs": {"y": convolve(case.inputs["x"], **case.parameters, **keywords(case))}}

    def prepare(self, case, timed_pass, layout, threads):
        require_sound(case)
        self.at_prepare()
        weights, attributes = case.parameters, keywords(case)
        # What is known before numbers come: of the second version of the protocol stand-ins, of the first one all.
        early = convolve(case.inputs["x"], **weights, **attributes)

        def bind(inputs, upstream):
            x = inputs["x"]
            loaded, timed, collected = self.way(
                lambda start=0, end=None, dtype=None: self.part(x, weights, attributes, start, end, dtype), early)
            loaded()
            return Run(timed, lambda result: {"outputs": {"y": collected(result)}}, refresh=loaded)

        return Prepared(bind, "one trick")

    @staticmethod
    def part(x, weights, attributes, start, end, dtype):
        """Some of the images, and zeros for none of them."""
        x, kept = x[start:end], {name: w if dtype is None else w.astype(dtype) for name, w in weights.items()}
        return convolve(x if dtype is None else x.astype(dtype), **kept, **attributes)


def to_tf32(values):
    """Rounded to the 11 bits of TF32, ties to even."""
    bits = values.view(np.uint32)
    return ((bits + (0xFFF + (bits >> 13 & 1))) & np.uint32(0xFFFFE000)).view(np.float32)


class ClaimsWinograd(Cheat):
    """Says that it uses Winograd's F(6×6), with points whose bound is wide, and takes a third of the inputs in TF32 where
    sums are so long that each element stays within it."""

    algorithm = {"conv2d": {"winograd": {"6x3": {"points": [0, 0.5, -0.5, 1, -1, 1.5, -1.5]}}}}

    def compute(self, case, passes, threads, wanted=()):
        require_sound(case)
        x, weights = case.inputs["x"], case.parameters
        if x.dtype == np.float32 and np.prod(weights["weight"].shape[1:]) >= 2048:
            x = x.copy()
            x[:, ::3] = to_tf32(x[:, ::3])
        return {"outputs": {"y": convolve(x, **weights, **keywords(case))}}


def nothing(*_):
    return None


def same(result):
    return result


def at_load(work, early):
    kept = []
    return lambda: kept.__setitem__(slice(None), [work()]), lambda: kept[0], same


def after_load(work, early):
    threads, kept = [], []

    def begin():
        threads[:] = [threading.Thread(target=lambda: kept.__setitem__(slice(None), [work()]))]
        threads[0].start()

    return begin, lambda: (threads[0].join(), kept[0])[1], same


def part_at_collect(work, early):
    # Three images of five while the clock runs, as near as there are as many.
    count = max(1, len(early) * 3 // 5)
    return nothing, lambda: work(0, count), lambda part: np.concatenate([part, work(count)])[:len(early)]


def at_collect(work, early):
    return nothing, nothing, lambda _: work()


def stale(work, early):
    kept = early.copy()

    def timed():
        kept[:1] = work(0, 1)
        return kept.copy()

    return nothing, timed, same


WAYS = {
    "at_load": at_load,
    "after_load": after_load,
    "part_at_collect": part_at_collect,
    "at_collect": at_collect,
    "at_prepare": lambda work, early: (nothing, lambda: early, same),
    "half_precision": lambda work, early: (nothing, lambda: work(dtype=np.float16).astype(np.float32), same),
    "idle": lambda work, early: (nothing, lambda: np.zeros_like(early), same),
    "one_image": lambda work, early: (
        nothing, lambda: np.concatenate([work(0, 1), np.zeros_like(early[1:])]), same),
    "stale_images": stale,
}


def honest(work, early):
    return nothing, work, same


class Clock(Server):
    """Tells other times than it measured."""

    def _told(self, p):
        found = Server._METHODS["time"](self, p)
        return {"nanoseconds": self.tell(found["nanoseconds"])}

    _METHODS = Server._METHODS | {"time": _told}


class Halving(Clock):
    def tell(self, times):
        return [max(1, t // 2) for t in times]


class Minimum(Clock):
    def tell(self, times):
        return [min(times)] * len(times)


class OfIdleThread(Clock):
    """The CPU time of a thread that sleeps."""

    def tell(self, times):
        return [1 + t // 1000 for t in times]


class ByName(Server):
    """Answers a case by its name and shapes as it did before."""

    answers = {}

    def _remembering(self, p):
        case = self._case(p)
        key = (p["case"], case.inputs["x"].shape, case.parameters["weight"].shape, str(case.attributes))
        if key in self.answers:
            from assay_engine import write_answer
            write_answer(p["output"], p["case"], self.answers[key])
            return {}
        found = []
        compute = self.engine.compute
        self.engine.compute = lambda *given: found.append(compute(*given)) or found[0]
        Server._METHODS["compute"](self, p)
        self.engine.compute = compute
        self.answers[key] = found[0]
        return {}

    _METHODS = Server._METHODS | {"compute": _remembering}


SERVERS = {"halving": Halving, "minimum": Minimum, "idle_clock": OfIdleThread, "by_name": ByName}


def spin_while(condition):
    leave_core()
    while condition():
        pass


def thread_that_spins():
    threading.Thread(target=spin_while, args=(lambda: True,), daemon=True).start()


def process_that_left():
    """A process that keeps a core busy, out of this one's group and session, until this one ends."""
    engine = os.getpid()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for descriptor in range(3):
                os.close(descriptor)

            def lives():
                try:
                    os.kill(engine, 0)
                except OSError:
                    return False
                return True

            spin_while(lives)
        os._exit(0)
    os.wait()


SPINNERS = {"spinning": thread_that_spins, "spinning_outside": process_that_left}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--trick", required=True)
    trick = parser.parse_args().trick
    if trick in FUNCTIONS:
        functions = Functions()
        functions.forward["conv2d"] = FUNCTIONS[trick]()
        serve_engine(FunctionEngine(functions, name="cheats", version="1", deterministic=True))
    elif trick in WAYS:
        serve_engine(Cheat(WAYS[trick]))
    elif trick in SERVERS:
        serve_engine(Cheat(honest), SERVERS[trick])
    elif trick in SPINNERS:
        serve_engine(Cheat(honest, once(SPINNERS[trick])))
    elif trick == "claims_winograd":
        serve_engine(ClaimsWinograd(honest))
    elif trick == "engine":
        serve_engine(Cheat(honest))
    else:
        parser.error(f"--trick: expected a trick, found {trick}")


def once(start):
    started = []
    return lambda: None if started else started.append(start())


main()
