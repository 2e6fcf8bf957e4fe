"""Float64 arithmetic in NumPy that carries a rigorous first-order bound on its own rounding error."""
import numpy as np

U = 2.0**-53
# exp and log of the usual libraries are within one unit in the last place; their vector forms within four.
LIBRARY_ULPS = 4


class Running:
    """A tensor `v`, a bound `e` on its error, and what the exact fill needs.

    `a` is the sum of the magnitudes of the terms that were added up, `q` the power of two that all of them are
    multiples of (None once the value is no longer a dyadic number).
    """

    def __init__(self, v, e=None, a=None, q=None):
        self.v = v
        self.e = np.zeros_like(v) if e is None else e
        self.a = np.abs(v) if a is None else a
        self.q = q

    @staticmethod
    def leaf(numbers, exact=False):
        """A stored tensor, which is free of error; `exact` looks for its common power of two."""
        v = np.asarray(numbers, dtype=np.float64)
        return Running(v, q=_unit(v) if exact or v.size == 1 else None)

    @property
    def shape(self):
        return self.v.shape

    def map(self, move):
        """A rearrangement (reshape, slice, transpose): no arithmetic, no error."""
        return Running(move(self.v), move(self.e), move(self.a), self.q)

    def __getitem__(self, key):
        return self.map(lambda t: t[key])

    def reshape(self, *shape):
        return self.map(lambda t: t.reshape(*shape))

    def __neg__(self):
        return Running(-self.v, self.e, self.a, self.q)

    def __add__(self, other):
        other = _lift(other)
        v = self.v + other.v
        # An infinity or NaN is compared by kind, and its bound must not spread.
        e = np.where(np.isfinite(v), self.e + other.e + U * np.abs(v), 0.0)
        return Running(v, e, self.a + other.a, least_unit(self.q, other.q))

    def __sub__(self, other):
        return self + (-_lift(other))

    def __mul__(self, other):
        other = _lift(other)
        v = self.v * other.v
        e = np.abs(self.v) * other.e + np.abs(other.v) * self.e + self.e * other.e + U * np.abs(v)
        return Running(v, e, self.a * other.a, _product(self.q, other.q))

    def __truediv__(self, other):
        other = _lift(other)
        v = self.v / other.v
        e = (self.e + np.abs(v) * other.e) / np.maximum(np.abs(other.v) - other.e, 0) + U * np.abs(v)
        q = None
        if other.q is not None and self.q is not None and np.all(other.v == other.v.flat[0]) and _is_power(other.v):
            q = self.q / abs(float(other.v.flat[0]))
        return Running(v, e, np.abs(self.a / other.v), q)

    def sqrt(self):
        v = np.sqrt(self.v)
        lower = np.sqrt(np.maximum(self.v - self.e, 0))
        e = np.where(self.e == 0, 0, self.e / np.where(v + lower > 0, v + lower, np.inf)) + U * v
        exact = self.q is not None and _is_power(v) and np.all(v == v.flat[0])
        return Running(v, e, np.abs(v), float(v.flat[0]) if exact else None)

    def exp(self):
        v = np.exp(self.v)
        return Running(v, v * (np.expm1(self.e) + LIBRARY_ULPS * U))

    def log(self):
        v = np.log(self.v)
        e = -np.log1p(-np.minimum(self.e / np.abs(self.v), 1)) + LIBRARY_ULPS * U * np.abs(v)
        return Running(v, e)

    def monotonic(self, function):
        """A library function that rises or falls throughout: its own error, and how far it moves within x ± e."""
        v, low, high = function(self.v), function(self.v - self.e), function(self.v + self.e)
        largest = np.maximum(np.abs(v), np.maximum(np.abs(low), np.abs(high)))
        e = np.maximum(np.abs(high - v), np.abs(v - low)) + 2 * LIBRARY_ULPS * U * largest
        return Running(v, e)

    def sum(self, axis=None, keepdims=False):
        """Any order of summation, with at most n − 1 roundings on any term's way."""
        v = self.v.sum(axis=axis, keepdims=keepdims)
        a = self.a.sum(axis=axis, keepdims=keepdims)
        n = self.v.size / max(1, np.asarray(v).size)
        magnitude = np.abs(self.v).sum(axis=axis, keepdims=keepdims)
        e = self.e.sum(axis=axis, keepdims=keepdims) + max(0, n - 1) * U * magnitude
        return Running(np.asarray(v), np.asarray(e), np.asarray(a), self.q)

    @staticmethod
    def contract(subscripts, left, right):
        """einsum of two tensors: a dot product of K terms in any order."""
        terms, result = subscripts.split("->")
        first, second = terms.split(",")
        extents = {**dict(zip(first, left.shape)), **dict(zip(second, right.shape))}
        count = int(np.prod([extents[s] for s in set(first + second) - set(result)]))

        def dot(p, q):
            return np.einsum(subscripts, p, q, optimize=True)

        v = dot(left.v, right.v)
        magnitude = dot(np.abs(left.v), np.abs(right.v))
        a = magnitude if _product(left.q, right.q) is None else dot(left.a, right.a)
        e = count * U * magnitude
        if np.any(left.e):
            e = e + dot(left.e, np.abs(right.v) + right.e)
        if np.any(right.e):
            e = e + dot(np.abs(left.v), right.e)
        return Running(v, e, a, _product(left.q, right.q))


def where(mask, first, second):
    first, second = _lift(first), _lift(second)
    return Running(np.where(mask, first.v, second.v), np.where(mask, first.e, second.e),
                   np.where(mask, first.a, second.a), least_unit(first.q, second.q))


def widest(first, second):
    """`first` with the wider of two bounds: two arrangements of one formula, of which PyTorch takes the second."""
    return Running(first.v, np.maximum(first.e, second.e), np.maximum(first.a, second.a), least_unit(first.q, second.q))


def _lift(value):
    return value if isinstance(value, Running) else Running.leaf(value)


def _unit(v):
    """The largest power of two that every element is a multiple of; infinity when all are zero."""
    if not np.all(np.isfinite(v)):
        return None
    unit = np.inf
    magnitudes = np.unique(np.abs(v))
    for value in magnitudes[magnitudes > 0]:
        numerator, denominator = float(value).as_integer_ratio()
        unit = min(unit, (numerator & -numerator) / denominator)
    return unit


def _is_power(v):
    first = float(v.flat[0]) if v.size else 0.0
    return np.isfinite(first) and first != 0 and np.frexp(abs(first))[0] == 0.5


def least_unit(p, q):
    return None if p is None or q is None else min(p, q)


def _product(p, q):
    return None if p is None or q is None else p * q
