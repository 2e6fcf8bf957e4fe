#!/usr/bin/env python3
"""Has the programs that own a format read what Assay writes, and Assay what they write.

    python Tests/Formats/readers.py .build/release/assay RUN HISTORY

RUN is a folder of `assay bench`, with nine blocks or more for compare.py; HISTORY one of `assay history --out`. A person runs
this, not CI: it needs the programs, each of which is left out and said where it is missing.

    Google Benchmark   Debian's libbenchmark-tools (compare.py), NumPy and SciPy; pip install google-benchmark writes
    Go                 benchstat on the PATH, or Debian's golang-go and golang-golang-x-tools-dev (benchmark/parse)
    Apache Otava       pip install apache-otava
    Perfetto           pip install perfetto, whose trace processor is fetched at its first use
    hyperfine          Debian's hyperfine, or its release 2
    pytest-benchmark   pip install pytest-benchmark
    Criterion          a raw.csv in Tests/Formats/samples, written by Debian's librust-criterion-dev
Exit code 0: whatever was there could read.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SAMPLES = Path(__file__).resolve().parent / "samples"
COMPARE = Path("/usr/share/benchmark/compare.py")
GO_PARSE = Path("/usr/share/gocode/src/golang.org/x/tools/benchmark/parse")
GO_PROGRAM = """package main

import (
	"fmt"
	"os"

	"golang.org/x/tools/benchmark/parse"
)

func main() {
	set, err := parse.ParseSet(os.Stdin)
	if err != nil {
		panic(err)
	}
	lines := 0
	for _, found := range set {
		lines += len(found)
	}
	fmt.Println(len(set), "benchmarks,", lines, "lines")
	for name, found := range set {
		fmt.Println(name, len(found), "x", found[0].NsPerOp, "ns/op")
		break
	}
}
"""
failures, missing = [], []


def run(title, words, expects, codes=(0,), lines=12, **options):
    """Prints a command and its output, and notes what it should have said and did not."""
    print(f"\n== {title}\n$ {' '.join(map(str, words))}")
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    text = done.stdout + done.stderr
    kept = [line for line in text.splitlines() if line.strip()]
    for line in kept[:lines]:
        print("  " + line[:150])
    if len(kept) > lines:
        print(f"  … {len(kept) - lines} more lines")
    print(f"  exit {done.returncode}")
    if done.returncode not in codes or not all(word in text for word in expects):
        failures.append(f"{title}: expected exit {codes} and {expects}")
    return text


def without(title, what):
    print(f"\n== {title}: left out, {what}")
    missing.append(title)


def google(assay, folder):
    written = folder / "benchmarks.json"
    name = json.loads(written.read_text())["benchmarks"][0]["run_name"]
    if COMPARE.exists():
        run("compare.py reads benchmarks.json", [sys.executable, COMPARE, "--no-color", "benchmarks", written, written],
            [name.split("/")[0]])
    else:
        without("compare.py", "Debian's libbenchmark-tools has it")
    sample = SAMPLES / "google_benchmark.json"
    run("Google Benchmark's file", [assay, "compare", sample, sample], ["2 compared"])


def go(assay, folder, work):
    written = folder / "benchmarks.txt"
    if shutil.which("benchstat"):
        run("benchstat reads benchmarks.txt", ["benchstat", "-col", "/engine", written], ["sec/op"])
    elif shutil.which("go") and GO_PARSE.exists():
        source = work / "go" / "src" / "reads"
        source.mkdir(parents=True)
        (source / "main.go").write_text(GO_PROGRAM)
        environment = dict(
            os.environ, GO111MODULE="off", GOPATH=f"{work / 'go'}:/usr/share/gocode", GOCACHE=str(work / "cache"),
            GOFLAGS="")
        program = work / "reads"
        subprocess.run(["go", "build", "-o", program, "reads"], cwd=source, env=environment, check=True)
        with open(written) as text:
            run("golang.org/x/tools/benchmark/parse reads benchmarks.txt", [program], ["ns/op"], stdin=text)
    else:
        without("Go", "neither benchstat nor golang.org/x/tools/benchmark/parse is here")
    sample = SAMPLES / "go_benchmarks.txt"
    run("the text of go test -bench", [assay, "compare", sample, sample], ["2 compared"])


def otava(history):
    if not shutil.which("otava"):
        return without("Otava", "pip install apache-otava")
    run("Otava reads the history", ["otava", "analyze", "history-1"], ["time"], cwd=history,
        env=dict(os.environ, OTAVA_CONFIG="otava.yaml"))


def perfetto(assay, work):
    trace = work / "trace.json"
    run("a network's trace", [assay, "tune", "--network", "cifar_resnet8", "--batch", "1", "--trace", trace], [], lines=3)
    try:
        from perfetto.trace_processor import TraceProcessor
        processor = TraceProcessor(trace=str(trace))
    except Exception as error:  # Without its program, which it fetches, there is nothing to ask.
        events = json.loads(trace.read_text())
        events = events["traceEvents"] if isinstance(events, dict) else events
        phases = sorted({event["ph"] for event in events})
        print(f"  {len(events)} events with phases {phases}, by Python's json alone")
        return without("Perfetto", f"its trace processor cannot be had here ({type(error).__name__})")
    rows = list(processor.query("select name, dur from slice order by dur desc limit 3"))
    count = next(iter(processor.query("select count(*) as n from slice"))).n
    print(f"  trace processor: {count} slices; longest: " + ", ".join(f"{row.name} {row.dur} ns" for row in rows))
    if not count:
        failures.append("Perfetto: expected slices, found none")


def hyperfine(assay, work):
    if not shutil.which("hyperfine"):
        return without("hyperfine", "Debian's hyperfine has it")
    for name, seconds in (("old", "0.01"), ("new", "0.02")):
        subprocess.run(
            ["hyperfine", "-N", "--runs", "12", "--command-name", "sleep", f"sleep {seconds}", "--export-json",
             work / f"{name}.json"], capture_output=True, check=True)
    run(subprocess.run(["hyperfine", "--version"], capture_output=True, text=True).stdout.strip() + ", half as fast",
        [assay, "compare", work / "old.json", work / "new.json"], ["slower"], codes=(1,))


def pytest_benchmark(assay, work):
    try:
        import pytest_benchmark  # noqa: F401
    except ImportError:
        return without("pytest-benchmark", "pip install pytest-benchmark")
    (work / "test_sum.py").write_text(
        "def test_sum(benchmark):\n    benchmark.pedantic(sum, args=(range(20000),), rounds=12, iterations=5)\n")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", work / "test_sum.py", "--benchmark-json", work / "pytest.json"],
        capture_output=True, check=True, cwd=work)
    run("pytest-benchmark's file", [assay, "compare", work / "pytest.json", work / "pytest.json"], ["1 compared"])


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    assay, folder, history = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
    assay = str(Path(assay).resolve())
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        google(assay, folder)
        go(assay, folder, work)
        otava(history)
        perfetto(assay, work)
        hyperfine(assay, work)
        pytest_benchmark(assay, work)
        sample = SAMPLES / "criterion_raw.csv"
        run("Criterion's raw.csv", [assay, "compare", sample, sample], ["1 compared"])
        run("a folder of all of them", [assay, "history", SAMPLES], ["series"], lines=20)
    print(f"\n{len(failures)} failures" + "".join(f"\n  {failure}" for failure in failures)
          + (f"; left out: {', '.join(missing)}" if missing else ""))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
