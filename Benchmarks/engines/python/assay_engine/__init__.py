"""Assay's engine protocol for Python, versions 2 and 1.

Decorate a function for each operation, then `serve`; or write a whole `Engine`. `check` gives the verdict in a test.
"""

from .arrays import BFloat16, to_numpy
from .attributes import keywords
from .checking import CheckUnavailable, check
from .engine import Engine, Prepared, Run
from .exchange import Case, read_case, write_answer
from .functions import Shape, backward, operation, prepare, serve
from .refusals import Refused, Unsupported
from .sixteen_bits import bfloat16_of, float32_of
from .soundness import require_sound
from .timing import fastest

__all__ = [
    "BFloat16", "Case", "CheckUnavailable", "Engine", "Prepared", "Refused", "Run", "Shape", "Unsupported", "backward",
    "bfloat16_of", "check", "fastest", "float32_of", "keywords", "operation", "prepare", "read_case", "require_sound",
    "serve", "to_numpy", "write_answer",
]
