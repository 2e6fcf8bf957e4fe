"""The clock."""

import gc
import itertools
import time

import numpy as np

_flushed = None


def _flush_caches():
    """Writes more than any cache holds."""
    global _flushed
    if _flushed is None:
        _flushed = np.zeros(32 << 20, dtype=np.float64)
    _flushed += 1.0


def _synchronized(call, synchronize):
    def run():
        result = call()
        synchronize()
        return result

    return run


def time_slice(sets, iterations, cold=False, synchronize=None):
    """Iteration i runs on `sets[i mod count]`; one duration in nanoseconds each. Results are kept by their sets, and
    what they replace is freed, while the clock stands."""
    for each in sets:
        each.mark()
    calls = [each.run.call for each in sets]
    if synchronize is not None:
        calls = [_synchronized(call, synchronize) for call in calls]
        synchronize()
    times, results = [], [None] * len(sets)
    clock, places = time.perf_counter_ns, itertools.cycle(range(len(sets)))
    collects = gc.isenabled()
    gc.disable()
    try:
        for place in itertools.islice(places, iterations):
            call = calls[place]
            if cold:
                _flush_caches()
            start = clock()
            result = call()
            end = clock()
            times.append(end - start)
            results[place] = result
    finally:
        if collects:
            gc.enable()
    for each, result in zip(sets[:iterations], results):
        each.result = result
    return times


def fastest(candidates, rounds=5):
    """The fastest of {description: run} by the best of a few runs, so that a framework is shown at its best. The runs
    are on stand-ins; the answer is the description."""
    best = {}
    for description, run in candidates.items():
        run()
        times = []
        for _ in range(rounds):
            start = time.perf_counter_ns()
            run()
            times.append(time.perf_counter_ns() - start)
        best[description] = min(times)
    return min(best, key=best.get)
