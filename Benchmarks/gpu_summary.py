"""What gpu.sh found, in short tables: `gpu_summary.py FOLDER`. Ends by the worst of the steps' exit codes."""

import collections
import json
import math
import os
import sys

# From best to worst, as the tool orders them.
ORDER = (0, 2, 1, 74, 65, 70)
# What a shell says of a command that ran out of time, or was killed.
STOPPED = (124, 130, 137, 143)


def outcome(expected, ended):
    """What a step amounts to, of its exit code and the one that it should have."""
    if ended == "left out" or int(ended) in STOPPED:
        return 2
    code = int(ended) if int(ended) in ORDER else 70
    if code == int(expected):
        return 0
    return 1 if code == 0 else code


def table(headings, rows):
    rows = [headings, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(headings))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print()


def ratio_of(value):
    """A number of a run's record, in which what JSON has no number for is a word."""
    return float(value) if isinstance(value, (int, float)) else math.inf


def ratio(value):
    if value is None:
        return "–"
    value = ratio_of(value)
    return f"{value:.3g}" if math.isfinite(value) else "inf" if value > 0 else "–"


def counted(statuses):
    return ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()) if count) or "–"


def verified(runs):
    found = collections.defaultdict(lambda: [collections.Counter(), 0.0])
    for run in runs:
        for result in run.get("verification", {}).get("results", ()):
            entry = found[result["engine"], result["operation"], result["dtype"]]
            entry[0][("known " if "known_failure" in result else "") + result["status"]] += 1
            for tensor in result["tensors"]:
                entry[1] = max(entry[1], ratio_of(tensor.get("worst_ratio")))
    return [[*key, counted(statuses), ratio(worst)] for key, (statuses, worst) in found.items()]


def failing(runs, most=3):
    """Of each engine, operation and precision the first cases that fail, and why."""
    found = collections.defaultdict(list)
    for run in runs:
        results = list(run.get("verification", {}).get("results", ()))
        for failure in run.get("fuzzing", {}).get("failures", ()):
            results.append(failure["result"] | {"name": f"{failure['problem']} {failure['data']}"})
        for result in results:
            if result["status"] in ("FAIL", "ERROR", "NOT RUN") and "known_failure" not in result:
                found[result["engine"], result["operation"], result["dtype"]].append(result)
    rows = []
    for (engine, _, dtype), results in found.items():
        for result in results[:most]:
            worst = max((ratio_of(tensor.get("worst_ratio")) for tensor in result["tensors"]), default=math.nan)
            rows.append([engine, dtype, result["status"], ratio(worst), result["name"][:70], result["message"][:100]])
    return rows


def engines(runs):
    """What the engines say of themselves, once each."""
    found = {}
    for run in runs:
        for section in ("verification", "benchmark"):
            for engine in run.get(section, {}).get("engines", ()):
                info = ", ".join(f"{key} {value}" for key, value in sorted(engine.get("info", {}).items()))
                found[engine["name"]] = [engine["name"], str(engine.get("version", "")), info[:110]]
    return list(found.values())


def fuzzed(runs):
    rows = []
    for run in runs:
        section = run.get("fuzzing")
        for tally in section["tallies"] if section else ():
            kinds = sum(f["engine"] == tally["engine"] and f["operation"] == tally["operation"] for f in section["failures"])
            rows.append([
                tally["engine"], tally["operation"], str(sum(tally["counts"].values())), counted(tally["counts"]),
                ratio(tally["worst_ratio"]), str(kinds)])
    return rows


def timed(runs):
    rows = []
    for run in runs:
        section = run.get("benchmark")
        for workload in section["workloads"] if section else ():
            for found in workload["contestants"]:
                time = found.get("time")
                caught = [f["rule"] for f in found.get("audit", {}).get("findings", ()) if f["verdict"] == "violated"]
                rows.append([
                    found["engine"], workload["name"], section["options"]["dtype"],
                    f"{time['median_nanoseconds'] * 1e-6:.4f}" if time else "–",
                    f"{time['equivalent_gigaflops'] * 1e-3:.2f}" if time and time["equivalent_gigaflops"] else "–",
                    found["status"] + (": " + ", ".join(caught) if caught else ""), found.get("trust", "–"),
                    ratio(found.get("worst_ratio")), found.get("summary", "")[:40]])
    return rows


def main(folder):
    steps, runs, code = [], [], 0
    with open(os.path.join(folder, "steps"), encoding="utf-8") as lines:
        for line in lines:
            name, expected, ended, seconds = line.rstrip("\n").split("\t")
            found = outcome(expected, ended)
            code = max(code, found, key=ORDER.index)
            said = {0: "as expected", 1: "not as expected", 2: "nothing decided"}.get(found, "broken")
            steps.append([name, expected, ended, seconds, said])
            path = os.path.join(folder, name, "run.json")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as run:
                    runs.append(json.load(run))
    table(["step", "expected", "ended", "s", "that is"], steps)
    for headings, rows in (
        (["engine", "version", "what it says of itself"], engines(runs)),
        (["engine", "operation", "precision", "verified", "error/bound"], verified(runs)),
        (["engine", "operation", "random problems", "ended", "error/bound", "kinds of failure"], fuzzed(runs)),
        (["engine", "workload", "precision", "ms", "Tflop/s", "audited", "trust", "error/bound", "what ran"], timed(runs)),
        (["engine", "precision", "ended", "error/bound", "what fails, of each kind the first", "why"], failing(runs)),
    ):
        if rows:
            table(headings, rows)
    print({0: "All is as expected.", 1: "Something fails.", 2: "Something was not decided."}.get(code, "Something broke."))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
