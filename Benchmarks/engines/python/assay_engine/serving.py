"""The serving loop: one JSON object a line on stdin, one reply a line on stdout. PROTOCOL.md is its contract."""

import json
import os
import sys
import traceback

from .engine import PreparedOperation
from .exchange import read_case, read_late, write_answer
from .refusals import Refused, Unsupported
from .timing import time_slice

PROTOCOLS = (1, 2)


class Server:
    """Answers requests to an engine by the protocol that `hello` agreed on; by the first until then."""

    def __init__(self, engine):
        self.engine = engine
        self.protocol = 1
        self.prepared = {}
        self.handles = 0

    def answer(self, line):
        """The reply to a line."""
        request = json.loads(line)
        reply = {"id": request["id"]}
        try:
            method = self._METHODS.get(request["method"])
            if method is None:
                raise Unsupported(f"method {request['method']}")
            reply["result"] = method(self, request["params"])
        except Unsupported as error:
            reply["unsupported"] = str(error)
        except Refused as error:
            reply["error"] = {"category": error.category, "message": str(error)}
        except Exception as error:  # A failure of the engine is no refusal of the input.
            traceback.print_exc()
            reply["error"] = {"category": "internal", "message": f"{type(error).__name__}: {error}"}
        return json.dumps(reply)

    def _hello(self, p):
        e = self.engine
        if p["protocol"] not in PROTOCOLS:
            raise Refused("invalid_argument", f"protocol: expected 1 or 2, found {p['protocol']}")
        self.protocol = p["protocol"]
        return dict(
            protocol=self.protocol, name=e.name, version=e.version, device=e.device, operations=sorted(e.operations),
            dtypes=list(e.dtypes), passes=list(e.passes), omits=list(e.omits), nonfinite=e.nonfinite,
            denormals=e.denormals, deterministic=e.deterministic, info=e.info,
            **({"algorithm": e.algorithm} if e.algorithm else {}))

    def _case(self, p):
        case = read_case(p["file"], p["case"], p["dtype"])
        if case.operation not in self.engine.operations:
            raise Unsupported(f"{self.engine.name} does not do {case.operation}")
        return case

    def _compute(self, p):
        groups = self.engine.compute(self._case(p), p["passes"], p["threads"], p.get("wanted", ()))
        write_answer(p["output"], p["case"], groups)
        return {}

    def _prepare(self, p):
        case = self._case(p)
        operation = PreparedOperation(self.engine.prepare(case, p["pass"], p["layout"], p["threads"]), case)
        self.handles += 1
        handle = str(self.handles)
        self.prepared[handle] = operation
        if self.protocol == 1:  # The operands came with the request.
            operation.load(0, lambda inputs, upstream: (inputs.update(case.inputs), upstream.update(case.upstream)))
        prepared = operation.prepared
        return {
            "handle": handle, "description": prepared.description, "workspace_bytes": prepared.workspace_bytes}

    def _load(self, p):
        operation = self._operation(p)
        operation.load(p["set"], lambda inputs, upstream: read_late(p["file"], operation.path, inputs, upstream))
        return {}

    def _time(self, p):
        operation = self._operation(p)
        sets = [operation.set(index) for index in p.get("sets", (0,))]
        if not sets:
            raise ValueError("sets: expected at least one, found none")
        return {"nanoseconds": time_slice(sets, p["iterations"], p["cold"], self.engine.synchronize)}

    def _collect(self, p):
        operation = self._operation(p)
        write_answer(p["output"], operation.path, operation.set(p["set"]).answer())
        return {}

    def _release(self, p):
        self.prepared.pop(p["handle"], None)
        return {}

    def _operation(self, p):
        if p["handle"] not in self.prepared:
            raise ValueError(f"handle {p['handle']}: expected one that `prepare` gave and that was not released")
        return self.prepared[p["handle"]]

    _METHODS = {
        "hello": _hello, "compute": _compute, "prepare": _prepare, "load": _load, "time": _time, "collect": _collect,
        "release": _release,
    }


def serve_engine(engine, server=Server):
    """Answers requests on stdin until they end, with a server of that class."""
    # Replies have a descriptor of their own: whatever a framework prints goes to the log.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    answering = server(engine)
    for line in sys.stdin:
        if line.strip():
            replies.write(answering.answer(line) + "\n")
            replies.flush()
