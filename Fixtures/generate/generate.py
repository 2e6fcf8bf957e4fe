"""Writes the golden files and their manifest: `python generate.py`, or `--check` to compare with what is there.

Every expected value comes from PyTorch (pytorch_oracle.py) and is held against NumPy (second_opinion.py); a
disagreement stops the run with the case's name.
"""
import argparse
import collections
import hashlib
import importlib
import json
import pathlib
import sys
import tempfile
import time

import torch

import agreement
import comparison
import digits
import pytorch_oracle
import pytorch_training
from assay_golden import GoldenFile, Sampled
from golden_case import SEED, Fill

FIXTURES = pathlib.Path(__file__).resolve().parent.parent
# One module under cases/ and one file each.
FILES = ["conv2d", "conv2d_resnet", "batch_norm2d", "linear", "relu", "elementwise", "softmax", "max_pool2d",
         "avg_pool2d", "adaptive_avg_pool2d", "upsample2d", "cross_entropy", "group_norm", "layer_norm",
         "conv_transpose2d", "gelu", "silu", "scaled_add", "optimizers", "blocks", "resnet", "resnet_cifar",
         "training_run", "operand_types", "size_classes"]
LICENSE = "Apache-2.0"


def complete(case):
    """The case's groups with expected values, and the largest disagreement in units of its bound."""
    groups = {"inputs": case.inputs, "parameters": case.parameters, "buffers": case.buffers}
    if case.expect_error:
        pytorch_oracle.require_refusal(case)
        return groups, 0.0
    if case.operation == "training_run":
        outputs = pytorch_training.training_run(case, torch.float64)
        ratio = agreement.check_training(case, outputs)
        extra = {"reference_float32/loss": pytorch_training.float32_losses(case)}
        return groups | {"outputs": outputs, "extra": extra}, ratio
    fill = Fill(case.name + " upstream")

    def draw(key, shape):
        if case.upstream is not None:
            return case.upstream.get(key)
        if case.cotangents_are_recipes:
            return fill.procedural(*shape, low=-2.0, high=2.0)
        return fill.cotangent(shape, dyadic=case.fill == "exact")

    outputs, after, upstream, gradients = pytorch_oracle.evaluate(case, draw)
    ratio = agreement.check(case, outputs, after, upstream, gradients)

    def sampled(tensors, samples=case.samples):
        return {key: Sampled(value, samples, fill.seed)
                if value.size > case.sample_above and value.dtype.kind == "f" else value
                for key, value in tensors.items()}

    # Unchanged buffers of a whole network are left out for their size; the layer's own cases hold them.
    after = {} if case.operation == "resnet" and not case.attributes["training"] else sampled(after)
    groups |= {"outputs": sampled(outputs, case.output_samples or case.samples), "buffers_after": after, "upstream": upstream,
               "gradients": sampled(gradients)}
    return groups, ratio


def write(name, folder):
    module = importlib.import_module(f"cases.{name}")
    path = folder / f"{name}.h5"
    begun, counts, worst, seen = time.monotonic(), collections.Counter(), (0.0, None), set()
    with GoldenFile(str(path), generator=pytorch_oracle.GENERATOR, script=module.__file__, seed=SEED,
                    description=module.__doc__.strip().splitlines()[0], license=LICENSE) as file:
        for case in module.cases():
            if case.name in seen:
                raise ValueError(f"two cases are called {case.name}")
            seen.add(case.name)
            groups, ratio = complete(case)
            worst = max(worst, (ratio, case.name), key=lambda pair: pair[0])
            counts[case.operation, "refuse" if case.expect_error else case.fill] += 1
            file.case(case.name, case.operation, attributes=case.attributes, fill=case.fill, tags=case.tags,
                      expect_error=case.expect_error, **groups)
        count = file.case_count
    print(f"{name:24} {count:4} cases {path.stat().st_size / 1e6:7.2f} MB {time.monotonic() - begun:6.1f} s  "
          f"worst disagreement/bound {worst[0]:.2f}  {worst[1]}", flush=True)
    return count, counts


def manifest_entry(path, count):
    return {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "case_count": count}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nowhere; compare with the files that are there")
    parser.add_argument("--only", nargs="*", choices=FILES, help="these files alone")
    parser.add_argument("--out", type=pathlib.Path, default=FIXTURES)
    options = parser.parse_args()
    names = options.only or FILES
    if options.check:
        with tempfile.TemporaryDirectory() as scratch:
            for name in names:
                write(name, pathlib.Path(scratch))
            sys.exit(comparison.report(names, pathlib.Path(scratch), options.out))
    if not options.only:
        digits.write()
    manifest_path = options.out / "MANIFEST.json"
    listed = {}
    if manifest_path.exists():
        listed = {entry["path"]: entry for entry in json.loads(manifest_path.read_text())["files"]}
    totals = collections.Counter()
    for name in names:
        count, counts = write(name, options.out)
        listed[f"{name}.h5"] = manifest_entry(options.out / f"{name}.h5", count)
        totals += counts
    present = [listed[f"{name}.h5"] for name in FILES if f"{name}.h5" in listed]
    manifest = {"schema": "assay.manifest", "schema_version": 1, "files": present}
    manifest_path.write_text(json.dumps(manifest, indent=2) + "\n")
    for operation in sorted({operation for operation, _ in totals}):
        row = {fill: count for (name, fill), count in sorted(totals.items()) if name == operation}
        print(f"{operation:24} {sum(row.values()):4}  {row}")
    print(f"{sum(totals.values())} cases")


if __name__ == "__main__":
    main()
