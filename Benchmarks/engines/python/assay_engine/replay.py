"""The engines that `check` hands to the command: one notes what a problem's text asks, one gives a known answer."""

import json
import sys

import numpy as np

from .engine import Engine
from .exchange import GROUPS, read_answer, read_case
from .refusals import Unsupported
from .serving import serve_engine
from .sixteen_bits import bfloat16_of, widened


class _Recorded(Engine):
    name, version = "actual", "1"
    dtypes, passes = ("float32", "float64", "float16", "bfloat16"), ("forward", "backward")

    def __init__(self, operation):
        self.operations = (operation,)


class Question(_Recorded):
    """Notes attributes and shapes of what it is asked, and answers nothing."""

    def __init__(self, operation, file):
        super().__init__(operation)
        self.file = file

    def compute(self, case, passes, threads, wanted=()):
        attributes = {name: np.asarray(value).tolist() for name, value in case.attributes.items()}
        shapes = {group: {key: value.shape for key, value in getattr(case, group).items()} for group in GROUPS}
        with open(self.file, "w", encoding="utf-8") as f:
            json.dump({"attributes": attributes, "shapes": shapes}, f)
        raise Unsupported("the question is noted, and not answered")


class Answer(_Recorded):
    """Answers the one case of a file, and no other."""

    def __init__(self, operation, golden, answer):
        super().__init__(operation)
        self.known, self.answer = read_case(golden, "/case", ""), answer

    def compute(self, case, passes, threads, wanted=()):
        for group in GROUPS:
            asked, known = getattr(case, group), getattr(self.known, group)
            if asked.keys() != known.keys() or not all(_are_equal(asked[key], known[key]) for key in asked):
                raise Unsupported("other operands than those that the answer is to")
        return read_answer(self.answer, "/case")


def _are_equal(asked, known):
    """Whether the values asked about are the known ones, rounded to the type that is asked for."""
    values = widened(known)
    rounded = bfloat16_of(values) if asked.dtype == np.uint16 else values.astype(asked.dtype)
    return asked.shape == known.shape and np.array_equal(asked, rounded, equal_nan=asked.dtype.kind == "f")


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    serve_engine({"question": Question, "answer": Answer}[kind](*arguments))
