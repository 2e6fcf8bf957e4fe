"""What the tests share: exchange files as the tool writes them, and an engine in this process or at a pipe's end."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

from assay_engine.exchange import GROUPS, read_answer, write_tensors
from assay_engine.serving import Server

PACKAGE = Path(__file__).resolve().parent.parent
ENGINES = PACKAGE.parent


def write_question(file, operation, groups, path="/case", attributes=None, without_late=False):
    """A case as the tool writes it; `without_late` leaves inputs and cotangents as shapes alone."""
    late = {name: groups.get(name, {}) for name in ("inputs", "upstream")} if without_late else {}
    with h5py.File(file, "w") as f:
        case = f.create_group(path)
        case.attrs["operation"] = operation
        for name, value in (attributes or {}).items():
            case.attrs[name] = value
        write_tensors(case, {name: groups.get(name, {}) for name in GROUPS if name not in late})
        for group, tensors in late.items():
            for name, array in tensors.items():
                write_tensors(case, {"typed": {name: array}})
                kind = case[f"typed/{name}"].id.get_type()
                empty = h5py.h5d.create(
                    case.require_group(group).id, name.encode(), kind, h5py.h5s.create(h5py.h5s.NULL))
                h5py.Dataset(empty).attrs["shape"] = np.int64(array.shape)
        case.pop("typed", None)


class Folder(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def path(self, name):
        return str(self.folder / name)


class Dialogue:
    """Requests to an engine in this process, line by line."""

    def __init__(self, engine, folder, protocol=2):
        self.server, self.folder, self.count = Server(engine), Path(folder), 0
        self.description = self.result("hello", protocol=protocol)

    def ask(self, method, **params):
        self.count += 1
        reply = json.loads(self.server.answer(json.dumps({"id": self.count, "method": method, "params": params})))
        assert reply.pop("id") == self.count
        return reply

    def result(self, method, **params):
        reply = self.ask(method, **params)
        assert reply.keys() == {"result"}, reply
        return reply["result"]

    def question(self, operation, groups, **more):
        file = str(self.folder / f"in{self.count}.h5")
        write_question(file, operation, groups, **more)
        return file

    def compute(self, operation, groups, dtype="float32", passes=("forward",), wanted=(), **more):
        """The reply, and the answer where there is one."""
        output = str(self.folder / f"out{self.count}.h5")
        reply = self.ask(
            "compute", file=self.question(operation, groups, **more), case="/case", dtype=dtype, passes=list(passes),
            wanted=list(wanted), threads=1, output=output)
        return reply, read_answer(output, "/case") if os.path.exists(output) else None

    def prepare(self, operation, groups, dtype="float32", timed_pass="forward", **more):
        file = self.question(operation, groups, without_late=True, **more)
        reply = self.ask(
            "prepare", file=file, case="/case", dtype=dtype, layout="nchw", threads=1, **{"pass": timed_pass})
        os.remove(file)
        return reply

    def load(self, handle, index, groups):
        """As the tool does: the file is gone once the request was answered."""
        file = self.question("late", {name: groups.get(name, {}) for name in ("inputs", "upstream")})
        reply = self.ask("load", handle=handle, set=index, file=file)
        os.remove(file)
        return reply

    def time(self, handle, sets, iterations, cold=False):
        return self.ask("time", handle=handle, sets=list(sets), iterations=iterations, cold=cold)

    def collect(self, handle, index):
        output = str(self.folder / f"collected{self.count}.h5")
        self.result("collect", handle=handle, set=index, output=output)
        return read_answer(output, "/case")


class Process:
    """An engine in a process of its own."""

    def __init__(self, test, command):
        environment = dict(os.environ, PYTHONPATH=str(PACKAGE))
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env=environment)
        test.addCleanup(self.end)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        """End of stdin means: exit."""
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(timeout=60)
