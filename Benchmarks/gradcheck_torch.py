#!/usr/bin/env python3
"""Assay's gradient check beside torch.autograd.gradcheck's slow mode, on the same problem in the same run.

    python Benchmarks/gradcheck_torch.py --assay .build/release/assay

The problem is conv2d 8 -> 8, 3x3, padding 1, on 2x8x8x8 in double precision, gradients by input and weight. Both sides
are timed in process, without start-up and after one run to warm up: torch by its own clock around gradcheck, Assay by the
seconds that its record holds for the second of two checks. Every figure is the least of several repetitions, the sides taking turns; torch is timed with each
number of threads given, and its least counts, since tensors this small are often faster on one.

Four of Assay's checks are timed: the exact adjoint test alone, every element by exact columns, every element by dual
numbers, and every element by both dual numbers and finite differences with bounds, as if the convolution were not linear.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import torch

PROBLEM = "conv2d n2c8h8w8 k8r3s3 stride1 pad1"


def torch_seconds() -> float:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 8, 8, 8, dtype=torch.float64, generator=generator, requires_grad=True)
    weight = torch.randn(8, 8, 3, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    start = time.perf_counter()
    passed = torch.autograd.gradcheck(lambda x, w: torch.nn.functional.conv2d(x, w, padding=1), (x, weight))
    elapsed = time.perf_counter() - start
    if not passed:
        raise SystemExit("torch.autograd.gradcheck failed a correct convolution")
    return elapsed


def assay_record(assay: str, method: str) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        command = [assay, "gradcheck", "--quiet", "--operation", PROBLEM, "--operation", PROBLEM, "--method", method, "--out", folder]
        # torch checks no contracts either.
        command.append("--skip-contracts")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(Path(folder, "run.json").read_text())["gradients"]["records"][1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assay", default=".build/release/assay", help="the assay program")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads to try torch with")
    arguments = parser.parse_args()

    methods = ["adjoint", "automatic", "dual", "differences"]
    times: dict[str, list[float]] = {name: [] for name in ["torch", *methods]}
    worst: dict[str, float] = {}
    torch.set_num_threads(arguments.threads[0])
    torch_seconds()
    for _ in range(arguments.repetitions):
        for threads in arguments.threads:
            torch.set_num_threads(threads)
            times["torch"].append(torch_seconds())
        for method in methods:
            record = assay_record(arguments.assay, method)
            if record["verdict"] != "PASS":
                raise SystemExit(f"assay: {record['verdict']} by {method}")
            times[method].append(record["seconds"])
            worst[method] = max(tensor["worst_resolution"] for tensor in record["tensors"])

    least = {name: min(values) for name, values in times.items()}
    print(f"{PROBLEM}, float64, least of {arguments.repetitions}")
    print(f"torch {torch.__version__} gradcheck, slow mode   {least['torch'] * 1e3:9.2f} ms   rtol 1e-3, atol 1e-5")
    labels = {
        "adjoint": "assay, exact adjoint test",
        "automatic": "assay, every element by exact columns",
        "dual": "assay, every element by dual numbers",
        "differences": "assay, every element by duals and differences",
    }
    for method in methods:
        ratio = least["torch"] / least[method]
        print(f"{labels[method]:<46} {least[method] * 1e3:9.2f} ms   {ratio:6.0f} times faster, resolution {worst[method]:.1e}")


if __name__ == "__main__":
    main()
