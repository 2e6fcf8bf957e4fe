"""Few problems that hold many classes: every listed value of every extent, and every two values of two attributes.

A kernel may be wrong for one class of extents alone (the tail of an unrolled loop, a size from which on threads share
the work), or where two attributes meet. One problem holds a class of each of its extents at once, so that a few dozen
hold them all. Which problems those are is found by trying: the one of some hundred that holds most of what is missing.
"""
import random
from collections.abc import Callable
from dataclasses import dataclass, field

# Extents at multiples of what vectors, tiles and unrolled loops hold and one off them, primes, and those of networks.
BATCH = [1, 2, 3, 5, 9, 17, 33]
SIDE = [1, 2, 3, 7, 9, 14, 15, 17, 28, 31, 33, 56, 64, 65, 129]
CHANNELS = [1, 3, 4, 9, 15, 17, 32, 33, 63, 65, 129, 257, 513]
EXTENT = [1, 2, 3, 7, 9, 15, 17, 31, 33, 64, 65, 127, 257, 1000, 1025, 2049]
# Of a kernel that knows nothing but how many elements there are, and how long rows are.
LENGTH = [257, 1009, 1023, 4097]
LAST = [1, 7, 9, 15, 17, 31, 33, 65]

# What a tensor holds from where on threads share it.
MANY = [1024, 4096]
# From here on an extent is more than a vector, beside which attributes other than the simplest are asked for.
BEYOND_A_VECTOR = 17
TRIES = 400
SMALL = 9


@dataclass(frozen=True)
class Budget:
    """What one problem may take: elements of all its tensors, and multiply-accumulates of one pass."""

    elements: int = 1 << 14
    work: int = 1 << 17

    def share(self, problem):
        return max(sum(problem.sizes()) / self.elements, problem.work / self.work)


@dataclass
class Problem:
    """Shapes and attributes; tensors that a pass gives are `outputs`."""

    label: str
    attributes: dict = field(default_factory=dict)
    inputs: dict = field(default_factory=dict)
    parameters: dict = field(default_factory=dict)
    buffers: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)
    work: int = 0
    # Makes the layers of a block.
    module: Callable | None = None

    def sizes(self):
        """How many elements each tensor has."""
        groups = self.inputs, self.parameters, self.buffers, self.outputs
        return [count(shape) for group in groups for shape in group.values()]


def count(shape):
    total = 1
    for extent in shape:
        total *= extent
    return total


class Choices:
    """The numbers that one problem is made of, asked for by name."""

    def __init__(self, stream, wanted, missing):
        self._stream, self._wanted, self._missing = stream, wanted, missing
        # How many extents and attributes are those missing most: large extents leave room for few, and some attributes
        # exclude each other.
        self._share = stream.random()
        self.sizes, self.options, self.forms = {}, {}, {}

    def size(self, name, values, least=1):
        """An extent: the wanted one, else often one that no problem has yet, else a small one."""
        values = [value for value in values if value >= least] or [least]
        chosen = self._wanted.get(name)
        if chosen is None:
            new = [value for value in values if (name, value) in self._missing]
            small = [value for value in values if value <= SMALL] or values[:1]
            chosen = self._stream.choice(new if new and self._stream.random() < self._share else small)
        # What is wanted may be too small beside other choices; the problem then does not hold it.
        self.sizes[name] = max(chosen, least)
        return self.sizes[name]

    def small(self):
        """An extent that no kernel tells from another."""
        return self._stream.randrange(1, SMALL)

    def form(self, name, values):
        """What decides which extents there are; no attribute, so that it need not meet any."""
        position = self._wanted.get(name, self._stream.randrange(len(values)))
        self.forms[name] = position
        return values[position]

    def option(self, name, values):
        """An attribute: the wanted value, else often that which meets most of the others for the first time.

        The simplest comes first.
        """
        position = self._wanted.get(name)
        if position is None:
            order = self._stream.sample(range(len(values)), len(values))
            position = order[0]
            if self._stream.random() < self._share:
                position = max(order, key=lambda value: sum(
                    key in self._missing for key in self._meetings(name, value)))
        self.options[name] = position
        return values[position]

    def _meetings(self, name, value):
        """Keys of an attribute's value beside what is chosen by now."""
        for other, second in self.options.items():
            yield (name, value, other, second) if name < other else (other, second, name, value)
        if value > 0:
            yield from ((name, value, extent) for extent, size in self.sizes.items() if size >= BEYOND_A_VECTOR)

    def flag(self, name):
        return self.option(name, [False, True])

    def pair(self, name, values):
        return self.option(f"{name}.h", values), self.option(f"{name}.w", values)

    def held(self, problem):
        """The classes of the problem that they make: as keys, each with what a problem needs to hold it."""
        alone = [*self.sizes.items(), *self.options.items(), *self.forms.items()]
        found = {(name, value): {name: value} for name, value in alone}
        chosen = self.sizes | self.options
        for name, value in self.options.items():
            for key in self._meetings(name, value):
                if key[0] != key[2]:
                    found[key] = {part: chosen[part] for part in key[::2]}
        for many in MANY:
            if max(map(count, problem.inputs.values())) >= many:
                found["elements", many] = {}
                found |= {(name, value, "elements", many): {name: value}
                          for name, value in self.options.items() if value > 0}
        return found


def cover(make, seed, budget=Budget()):
    """Problems of `make(choices)`, which gives None where its choices make none, until nothing is missing that fits."""
    stream = random.Random(seed)
    # What there is to hold, whatever it takes: what some problem of any size holds.
    missing = {}
    for _ in range(16 * TRIES):
        choices = Choices(stream, {}, _Everything())
        problem = make(choices)
        if problem is not None:
            for key, wanted in choices.held(problem).items():
                # Of several extents beside an attribute the least, beside which most has room.
                missing[key] = min(missing.get(key, wanted), wanted, key=lambda numbers: sum(numbers.values()))
    # Extents first, the largest of them before the others: they leave least room.
    order = sorted(missing, key=lambda key: (len(key), -key[1] if len(key) == 2 else 0, key))
    for key in order:
        if key not in missing:
            continue
        best = None
        for _ in range(TRIES):
            choices = Choices(stream, missing[key], missing)
            problem = make(choices)
            if problem is None or budget.share(problem) > 1:
                continue
            held = choices.held(problem)
            # Of two that hold as much the smaller.
            gain = sum(1 for found in held if found in missing) / (1 + budget.share(problem))
            if key in held and (best is None or gain > best[0]):
                best = gain, problem, held
        if best is not None:
            for found in best[2]:
                missing.pop(found, None)
            yield best[1]


class _Everything:
    def __contains__(self, key):
        return True
