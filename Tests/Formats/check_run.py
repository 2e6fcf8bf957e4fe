#!/usr/bin/env python3
"""Holds the files of a run against what others expect of them, and report.html against run.json.

    python Tests/Formats/check_run.py Reports/example
    python Tests/Formats/check_run.py RUN --compare-py compare.py --other RUN2 --junit-xsd junit-10.xsd --bmf-schema bmf.json

Without the options nothing but Python is needed. compare.py is Google Benchmark's (Debian: libbenchmark-tools), junit-10.xsd the
schema of Jenkins's xUnit plugin (it is in pytest's source distribution), bmf.json https://bencher.dev/bmf.json; lxml and
jsonschema are needed for the last two. Exit code 0: all hold.
"""
import argparse
import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

NUMBER = re.compile(r"(?<![\w.])[+−-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")


class Page(HTMLParser):
    """The texts of a page that say something of the run, and the rows of its tables with the caption's title."""

    def __init__(self):
        super().__init__()
        self.stack, self.texts, self.tables, self.title = [], [], [], ""
        self.outside, self.derived = [], False

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        for key, value in attributes:
            if key in ("src", "href") and value and not value.startswith(("#", "data:")):
                self.outside.append(value)
        # The page's own script has no source, and is no text of the run.
        if tag in ("iframe", "object"):
            self.outside.append(tag)
        if tag == "section":
            self.derived = values.get("id") in ("decide", "engines", "changes", "words")
        if tag not in ("meta", "link", "br", "input"):
            self.stack.append((tag, values.get("class") or ""))
        if tag == "table":
            self.tables.append((self.title, []))
        if tag == "tr" and self.tables:
            self.tables[-1][1].append([])
        if tag in ("td", "th") and self.tables:
            self.tables[-1][1][-1].append("")
        if tag == "h3":
            self.title = ""

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tags = [tag for tag, _ in self.stack]
        if not tags or "style" in tags or "script" in tags:
            return
        # What is derived for a reader's question (sums, shares and quotients over classes, networks and engines) is held to the
        # record by ReportingTests, not here.
        if self.derived or "summary" in tags:
            return
        if "h3" in tags:
            self.title += data
        if tags[-1] in ("td", "th"):
            self.tables[-1][1][-1][-1] += data
        # An axis has round numbers of its own; a cell of code is a command or a name.
        style = self.stack[-1][1]
        if tags[-1] == "text" and any(word in style for word in ("tick", "mono", "legend", "name")):
            return
        self.texts.append(data)


def texts_and_numbers(value, texts, numbers):
    if isinstance(value, dict):
        # The elements of a gradient check are those of its tensors, by method and together.
        elements = {}
        for tensor in value.get("tensors", []):
            for method in ("", tensor.get("method", "")):
                elements[method] = elements.get(method, 0) + tensor.get("element_count", 0)
        numbers.update(float(count) for count in elements.values())
        for key, item in value.items():
            # Raw samples are never shown.
            if key != "samples":
                texts.append(key)
                texts_and_numbers(item, texts, numbers)
    elif isinstance(value, list):
        numbers.add(float(len(value)))
        for item in value:
            texts_and_numbers(item, texts, numbers)
        counts = {}
        for item in value:
            if isinstance(item, dict):
                names = [(k, v) for k, v in item.items() if isinstance(v, str) and k in
                         ("status", "verdict", "operation", "engine", "dtype", "family", "fill")]
                counts_of(names, counts)
        numbers.update(float(count) for count in counts.values())
    elif isinstance(value, str):
        texts.append(value)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        numbers.add(float(value))


def counts_of(names, counts):
    """How many items share each subset of these properties: tables count by engine, operation and status."""
    for mask in range(1, 1 << len(names)):
        key = tuple(name for bit, name in enumerate(names) if mask >> bit & 1)
        counts[key] = counts.get(key, 0) + 1


def ways_to_write(number):
    found = set()
    for value in (number, number * 1e-6, number * 100, number / 2**20, number / 2**10, number / 1e9):
        found.update(f"{value:.{digits}f}" for digits in range(4))
        found.add(f"{value:.2e}")
        found.add(f"{value:+.1f}")
        if value == int(value):
            found.add(str(int(value)))
    return found


def check_page(folder, run):
    page = Page()
    source = (folder / "report.html").read_text()
    page.feed(source)
    problems = [f"report.html reaches outside: {item}" for item in page.outside]
    if "http://" in source or "https://" in source or "url(http" in source:
        problems.append("report.html names an address")
    if len(source.encode()) > 2 << 20:
        problems.append(f"report.html has {len(source.encode())} bytes")
    texts, numbers = [], {0.0}
    texts_and_numbers(run, texts, numbers)
    benchmark = run.get("benchmark") or {}
    if benchmark.get("audit_seconds") and benchmark["seconds"]:
        numbers.add(benchmark["audit_seconds"] / benchmark["seconds"])
    # A quotient of two medians stands in the peers' table.
    for workload in benchmark.get("workloads", []):
        medians = [c["time"]["median_nanoseconds"] for c in workload["contestants"] if c.get("time")]
        numbers.update(a / b for a in medians for b in medians)
    # And the geometric mean of those of a setting.
    built_in = {engine["name"]: engine["is_built_in"] for engine in benchmark.get("engines", [])}
    ratios = {}
    for w in benchmark.get("workloads", []):
        times = {side: [c["time"]["median_nanoseconds"] for c in w["contestants"]
                        if c.get("time") and built_in[c["engine"]] == side] for side in (True, False)}
        if times[True] and times[False]:
            key = (w["batch"], w["pass"], w["layout"], w["threads"])
            ratios.setdefault(key, []).append(min(times[False]) / min(times[True]))
    numbers.update(math.exp(sum(map(math.log, found)) / len(found)) for found in ratios.values())
    known = set()
    for number in numbers:
        known |= ways_to_write(number)
    known.update(token.lstrip("+−-") for text in texts for token in NUMBER.findall(text))
    known.update(token for text in texts for token in re.findall(r"\d+(?:\.\d+)?", text))
    checked = 0
    for text in page.texts:
        for token in NUMBER.findall(text):
            checked += 1
            if token not in known and token.lstrip("+−-") not in known:
                problems.append(f"report.html says {token}, which run.json does not: '{text.strip()[:100]}'")
    problems += check_figures(page, benchmark)
    return checked, problems


def milliseconds(nanoseconds):
    value = nanoseconds * 1e-6
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def check_figures(page, benchmark):
    """Each line of «All figures» holds exactly its own contestant's median and interval."""
    problems, lines = [], 0
    settings = {}
    for w in benchmark.get("workloads", []):
        threads = f"{w['threads']} thread" + ("" if w["threads"] == 1 else "s")
        title = f"batch {w['batch']}, {w['pass'].replace('_', ' ')}, {w['layout']}, {threads}"
        for c in w["contestants"]:
            settings[title, w["problem"].removeprefix("conv2d "), c["engine"]] = c
    for title, rows in page.tables:
        if rows and "median ms" in rows[0]:
            for row in rows[1:]:
                contestant = settings.get((title, row[0], row[1]))
                if contestant is None or not contestant.get("time"):
                    continue
                lines += 1
                time = contestant["time"]
                mark = "?" if contestant.get("trust") == "claimed" else ""
                expected = [milliseconds(time["median_nanoseconds"]) + mark]
                if time.get("lower_nanoseconds") is not None:
                    expected.append(f"{milliseconds(time['lower_nanoseconds'])} to {milliseconds(time['upper_nanoseconds'])}")
                if row[2:2 + len(expected)] != expected:
                    problems.append(f"{title}, {row[0]}, {row[1]}: expected {expected}, found {row[2:4]}")
    timed = sum(1 for c in settings.values() if c.get("time"))
    if lines != timed:
        problems.append(f"the tables hold {lines} times, run.json {timed}")
    return problems


def check_bmf(folder, schema):
    found = json.loads((folder / "bmf.json").read_text())
    if schema:
        import jsonschema

        jsonschema.validate(found, json.loads(Path(schema).read_text()))
    for name, measures in found.items():
        metric = measures["latency"]
        if not all(isinstance(value, (int, float)) for value in metric.values()) or "value" not in metric:
            return [f"bmf.json: {name}: {metric}"]
        if not metric.get("lower_value", 0) <= metric["value"] <= metric.get("upper_value", float("inf")):
            return [f"bmf.json: {name}: the bounds do not hold the value"]
    return []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--other", type=Path, help="another run, for compare.py (default: the same)")
    parser.add_argument("--compare-py")
    parser.add_argument("--junit-xsd")
    parser.add_argument("--bmf-schema")
    arguments = parser.parse_args()
    folder = arguments.run
    run = json.loads((folder / "run.json").read_text())
    checked, problems = check_page(folder, run)
    print(f"report.html: {checked} numbers looked up in run.json")
    if (folder / "bmf.json").exists():
        problems += check_bmf(folder, arguments.bmf_schema)
        print("bmf.json: read" + (", valid by its schema" if arguments.bmf_schema else ""))
    if arguments.compare_py:
        other = (arguments.other or folder) / "benchmarks.json"
        done = subprocess.run(
            [sys.executable, arguments.compare_py, "--no-color", "benchmarks", folder / "benchmarks.json", other],
            capture_output=True, text=True)
        count = done.stdout.count("_median")
        print(f"benchmarks.json: compare.py compares {count} benchmarks")
        if done.returncode or not count:
            problems.append(f"compare.py: {done.stderr[-500:]}")
    if arguments.junit_xsd:
        from lxml import etree

        schema = etree.XMLSchema(etree.parse(arguments.junit_xsd))
        for path in sorted(folder.rglob("junit.xml")):
            valid = schema.validate(etree.parse(path))
            print(f"{path}: {'valid' if valid else 'not valid'}")
            problems += [str(error) for error in schema.error_log] if not valid else []
    for problem in problems[:20]:
        print("PROBLEM", problem)
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
