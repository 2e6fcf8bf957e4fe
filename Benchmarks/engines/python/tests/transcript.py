"""The dialogue that PROTOCOL.md shows. `python Benchmarks/engines/python/tests/transcript.py` writes it there anew."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from tests.support import ENGINES, write_question
else:
    from .support import ENGINES, write_question

PAGE = ENGINES / "PROTOCOL.md"
BEGIN, END = "<!-- transcript -->\n```\n", "```\n<!-- end of transcript -->"
# What the page has in place of the folder of exchange files.
FOLDER = "/tmp/exchange"


def _draw(seed):
    return {"inputs": {"x": np.random.default_rng(seed).standard_normal((1, 3, 8, 8)).astype(np.float32)}}


def requests(folder):
    """Each request, with the exchange file that the tool writes before it, if any."""
    weight = {"parameters": {"weight": np.ones((4, 3, 3, 3), np.float32)}}
    named = {"stride": 1, "padding": 1}
    case = {"case": "/case", "dtype": "float32"}
    late = [({"handle": "1", "set": i, "file": f"{folder}/late{i}.h5"}, _draw(i + 1)) for i in (0, 1)]
    yield "hello", {"protocol": 2}, None
    yield "compute", case | {
        "file": f"{folder}/a.h5", "passes": ["forward"], "wanted": ["outputs/y"], "threads": 1,
        "output": f"{folder}/a-out.h5"}, (
        lambda file: write_question(file, "conv2d", _draw(0) | weight, attributes=named))
    yield "prepare", case | {"file": f"{folder}/b.h5", "pass": "forward", "layout": "nchw", "threads": 1}, (
        lambda file: write_question(file, "conv2d", _draw(0) | weight, attributes=named, without_late=True))
    for params, drawn in late:
        yield "load", params, lambda file, drawn=drawn: write_question(file, "conv2d", drawn)
    yield "time", {"handle": "1", "sets": [1, 0], "iterations": 4, "cold": False}, None
    yield "collect", {"handle": "1", "set": 0, "output": f"{folder}/c-out.h5"}, None
    yield "release", {"handle": "1"}, None


def dialogue(script="numpy_conv2d.py"):
    """Requests and replies in turn, with the page's folder, as they pass today."""
    lines = []
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(
            [sys.executable, ENGINES / script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        for number, (method, params, write) in enumerate(requests(folder), 1):
            if write is not None:
                write(params["file"])
            line = json.dumps({"id": number, "method": method, "params": params})
            engine.stdin.write(line + "\n")
            engine.stdin.flush()
            lines += [f"→ {line}", f"← {engine.stdout.readline().strip()}"]
        engine.stdin.close()
    return [line.replace(folder, FOLDER) for line in lines]


def page():
    """The dialogue that the page shows."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index(BEGIN) + len(BEGIN):text.index(END)].splitlines()


def steady(line):
    """A line without what differs from run to run: durations and the framework's version."""
    line = re.sub(r'"nanoseconds": \[[0-9, ]*\]', lambda found: f'{found[0].count(",") + 1} durations', line)
    return re.sub(r'"version": "[^"]*"', '"version": …', line)


if __name__ == "__main__":
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(before + BEGIN + "\n".join(dialogue()) + "\n" + END + rest.split(END)[1], encoding="utf-8")
