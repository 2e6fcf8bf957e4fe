"""GELU and SiLU a second time: by erfc and the logistic function, where PyTorch has 1 + erf, 1 + tanh and 1 + e^-x."""
import numpy as np
from scipy import special

from running_error import Running, U, widest

# Constants that are rounded once.
ROOT_HALF, ROOT_2_OVER_PI, DENSITY, CUBIC = (
    Running(np.array(value), np.array(U * value))
    for value in (0.5**0.5, (2 / np.pi)**0.5, (2 * np.pi)**-0.5, 0.044715))


def answer(y, slope, upstream):
    return {"y": y}, {}, {"x": slope * upstream["y"]} if "y" in upstream else {}


def gelu(t, a, upstream):
    form = gelu_by_tanh if a.get("approximate", "none") == "tanh" else gelu_by_erf
    return answer(*form(t["x"]), upstream)


def gelu_by_erf(x):
    """x·Φ(x) and Φ(x) + x·φ(x); Φ by erfc keeps its digits in the negative tail, where 1 + erf loses them."""
    z = x * ROOT_HALF
    below = widest((-z).monotonic(special.erfc) * 0.5, (z.monotonic(special.erf) + 1.0) * 0.5)
    density = (x * x * -0.5).monotonic(np.exp) * DENSITY
    return x * below, below + x * density


def gelu_by_tanh(x):
    """x·σ(2z), since (1 + tanh z)/2 = σ(2z), with z = √(2/π)·(x + 0.044715·x³)."""
    z = ROOT_2_OVER_PI * (x + CUBIC * x * x * x)
    tanh = z.monotonic(np.tanh)
    share = widest((z * 2.0).monotonic(special.expit), (tanh + 1.0) * 0.5)
    # σ' from both sides of the logistic function, and as PyTorch has it, 1 − tanh².
    steepness = widest((z * 2.0).monotonic(special.expit) * (z * -2.0).monotonic(special.expit) * 2.0,
                       (Running.leaf(1.0) - tanh * tanh) * 0.5)
    return x * share, share + x * steepness * ROOT_2_OVER_PI * (CUBIC * x * x * 3.0 + 1.0)


def silu(t, a, upstream):
    x = t["x"]
    share, rest = x.monotonic(special.expit), (-x).monotonic(special.expit)
    slope = widest(share + x * share * rest, share * (Running.leaf(1.0) + x * (Running.leaf(1.0) - share)))
    return answer(x * share, slope, upstream)
