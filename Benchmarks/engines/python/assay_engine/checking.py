"""The verdict inside a test: `assay.check` holds a result against the reference of the installed `assay` command."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

from .arrays import to_numpy
from .exchange import GROUPS, read_answer, write_answer, write_tensors
from .sixteen_bits import widened

_PATH = "/case"


class CheckUnavailable(RuntimeError):
    """Nothing was judged: the command is missing, or did not do what was expected of it."""


def check(actual, problem, operands, *, upstream=None, dtype=None, fill="adversarial", timeout=120):
    """Raises AssertionError, which names the worst element, unless every element of `actual` is within its error bound.

    - actual: the output, or outputs and gradients by name (`{"y": …, "gradients/x": …}`), as NumPy's arrays or any with
      DLPack.
    - problem: a problem's text, such as `conv2d n1c3h8w8 k4r3s3 stride1 pad1`.
    - operands: the tensors that `actual` was computed from, by name; their values are representable in float32.
    - upstream: the cotangent of the output, where there are gradients.
    - dtype: `float32`, `float64`, `float16` or `bfloat16`; without it the type of `actual`.
    - fill: `random` for independent random operands, which are held to a tighter, statistical bound, too.

    The command is `assay` on the PATH, or the one that the variable ASSAY names. ValueError: the text is no problem's,
    the operands are not the problem's, or have no result. CheckUnavailable: nothing could be judged.
    """
    answer = _grouped(actual)
    operation = problem.split()[0] if problem.split() else ""
    with tempfile.TemporaryDirectory(prefix="assay-check-") as folder:
        folder = Path(folder)
        question = _ask(problem, operation, folder / "question.json", timeout)
        tensors = _placed(operands, upstream, question["shapes"], problem)
        golden = folder / "golden.h5"
        expected = _expected(question, tensors, folder, timeout, passes=_passes(answer))
        _write_golden(golden, question["attributes"], tensors, _like(answer, expected, problem), fill)
        write_answer(folder / "answer.h5", _PATH, answer)
        _judge(operation, golden, folder, dtype or _dtype(answer), problem, timeout)


def _grouped(actual):
    """`{"outputs": {"y": array}, "gradients": {…}}`."""
    groups = {}
    for name, value in (actual if isinstance(actual, dict) else {None: actual}).items():
        group, _, key = (name or "").rpartition("/")
        groups.setdefault(group or "outputs", {})[key or None] = to_numpy(value)
    return groups


def _passes(answer):
    return sorted({"backward" if group == "gradients" else "forward" for group in answer})


def _dtype(answer):
    types = {array.dtype for tensors in answer.values() for array in tensors.values() if array.dtype != np.int64}
    names = {"bfloat16" if each == np.uint16 else str(each) for each in types}
    if len(names) != 1:
        raise ValueError(f"actual: expected floats of one type, or dtype=, found {sorted(names) or 'none'}")
    return names.pop()


def _command():
    command = os.environ.get("ASSAY") or shutil.which("assay")
    if not command:
        raise CheckUnavailable("expected the command assay on the PATH, or its path in the variable ASSAY; found none")
    return command


def _run(arguments, timeout, text=None):
    environment = dict(os.environ)
    # The engines of this package run where the test does: without installation, too.
    package = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (package, environment.get("PYTHONPATH"))))
    try:
        return subprocess.run(
            [_command(), *map(str, arguments)], input=text, capture_output=True, text=True, timeout=timeout,
            env=environment, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CheckUnavailable(f"assay {arguments[0]}: {error}") from error


def _ended(command, run):
    return CheckUnavailable(f"assay {command} ended with {run.returncode}: {(run.stderr or run.stdout).strip()}")


def _engine(kind, *arguments):
    words = (sys.executable, "-m", "assay_engine.replay", kind, *map(str, arguments))
    return "actual=" + shlex.join(words)


def _ask(problem, operation, file, timeout):
    """Attributes and shapes of a problem's text: the command reads it, and asks an engine that notes the question."""
    run = _run(
        ["gradcheck", "--operation", problem, "--engine", _engine("question", operation, file), "--dtype", "float32"],
        timeout)
    if file.exists():
        return json.loads(file.read_text(encoding="utf-8"))
    if run.returncode == 64:
        raise ValueError(run.stderr.split("\nUsage:")[0].removeprefix("Error: ").strip())
    raise _ended("gradcheck", run)


def _placed(operands, upstream, shapes, problem):
    """The operands in their groups, with the shapes that the problem has."""
    left, placed = dict(operands), {group: {} for group in GROUPS}
    for group in ("inputs", "parameters", "buffers"):
        for name, shape in shapes[group].items():
            if name not in left:
                raise ValueError(f"operands: expected {name} {tuple(shape)} for '{problem}', found {sorted(operands)}")
            placed[group][name] = _representable(name, left.pop(name), shape)
    if left:
        raise ValueError(f"operands: '{problem}' has no {', '.join(sorted(left))}")
    if upstream is not None:
        placed["upstream"] = {
            name: _representable("upstream", upstream, shape) for name, shape in shapes["upstream"].items()}
    return placed


def _representable(name, value, shape):
    array = to_numpy(value)
    if array.shape != tuple(shape):
        raise ValueError(f"{name}: expected the shape {tuple(shape)}, found {array.shape}")
    if array.dtype == np.float64 and not np.array_equal(array, array.astype(np.float32), equal_nan=True):
        raise ValueError(f"{name}: expected values that float32 has, found others; round them before they are used")
    return array


def _expected(question, tensors, folder, timeout, passes):
    """What the reference computes in float64."""
    asked, output = folder / "asked.h5", folder / "expected.h5"
    wide = {
        group: {name: widened(array) for name, array in members.items()} for group, members in tensors.items()}
    with h5py.File(asked, "w") as f:
        _write_case(f, question["attributes"], wide)
    params = {
        "file": str(asked), "case": _PATH, "dtype": "float64", "passes": passes, "wanted": [], "threads": 1,
        "output": str(output)}
    requests = [("hello", {"protocol": 1}), ("compute", params)]
    lines = [json.dumps({"id": i, "method": method, "params": p}) + "\n" for i, (method, p) in enumerate(requests, 1)]
    run = _run(["engine", "reference"], timeout, "".join(lines))
    try:
        reply = json.loads(run.stdout.splitlines()[1])
    except (IndexError, json.JSONDecodeError) as error:
        raise _ended("engine reference", run) from error
    if "error" in reply:
        raise ValueError(f"the operands have no result: {reply['error']['message']}")
    if "unsupported" in reply:
        raise CheckUnavailable(f"assay engine reference: {reply['unsupported']}")
    return read_answer(output, _PATH)


def _like(answer, expected, problem):
    """Of what is expected, what `actual` has; its only output takes the name that it lacks."""
    if None in answer.get("outputs", {}):
        names = [name for name, array in expected["outputs"].items() if array.dtype != np.int64]
        answer["outputs"][names[0]] = answer["outputs"].pop(None)
    for group, tensors in answer.items():
        for name in tensors:
            if name not in expected.get(group, {}):
                raise ValueError(f"actual: '{problem}' has no {group}/{name}")
    return {group: {name: expected[group][name] for name in tensors} for group, tensors in answer.items()}


def _write_case(file, attributes, groups):
    case = file.create_group(_PATH)
    for name, value in attributes.items():
        case.attrs[name] = value
    write_tensors(case, groups)
    return case


def _write_golden(path, attributes, operands, expected, fill):
    with h5py.File(path, "w") as f:
        f.attrs.update(
            schema="assay.golden", schema_version=1, generator="assay_engine.check", generator_script="",
            generator_sha256="", oracle_dtype="float64", seed=0, case_count=1)
        _write_case(f, attributes | {"fill": fill}, {**operands, **expected})


def _judge(operation, golden, folder, dtype, problem, timeout):
    report = folder / "run.json"
    run = _run(
        ["verify", "--golden", golden, "--engine", _engine("answer", operation, golden, folder / "answer.h5"),
         "--dtype", dtype, "--threads", "1", "--fresh", "0", "--json", report, "--jobs", "1", "--quiet"], timeout)
    try:
        results = json.loads(report.read_text(encoding="utf-8"))["verification"]["results"]
        found = [each for each in results if each["name"] == _PATH and each["dtype"] == dtype]
        result = next((each for each in found if each["status"] != "PASS"), found[0])
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise _ended("verify", run) from error
    if result["status"] == "PASS":
        return
    failures = [line for tensor in result["tensors"] if (line := _failure(tensor)) is not None]
    failures = failures or [result.get("message", "")]
    raise AssertionError("\n".join([f"{problem} ({dtype}): {result['status']}", *failures]))


def _failure(tensor):
    """One line on a tensor that fails: its worst element."""
    if tensor.get("problem"):
        return f"{tensor['path']}: {tensor['problem']}"
    worst = tensor.get("worst")
    if worst is None or not tensor.get("failing"):
        return None
    place = ",".join(map(str, worst["index"]))
    return (
        f"{tensor['path']}[{place}]: expected {worst['expected']}, found {worst['got']}, bound {worst['bound']} "
        f"(error/bound {tensor['worst_ratio']}; {tensor['failing']} of {tensor['compared']} elements fail)")
