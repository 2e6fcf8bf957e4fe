"""Holds `assay evaluate` against PyTorch on a network with torch's own random weights.

    python check_state_dict.py resnet18 [--image-size 64] [--images 4] [--assay .build/release/assay]

The weights go both ways of a user's: torch.save, export_state_dict.py, `assay evaluate --logits`; and as safetensors, which must
give the same bits. What `assay model --out x.safetensors` writes must be what was saved. Expected are PyTorch's logits in float64. Each may be off by eight times the spread of float64 runs in which every layer's output is disturbed by
what its own rounding in float32 may do, as METHODOLOGY.md derives it for whole networks. Exit code 1 when one is further off.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import torch
import torchvision
from safetensors.torch import load_file, save_file

UNIT = 2.0**-24
LAMBDA = 8
LAYERS = (torch.nn.Conv2d, torch.nn.Linear, torch.nn.BatchNorm2d, torch.nn.ReLU, torch.nn.MaxPool2d, torch.nn.AvgPool2d,
          torch.nn.AdaptiveAvgPool2d)


def rounding(layer, x, y):
    """Standard deviation of the layer's rounding at each element of y: u·√K·√max(Σt², y²) for sums of K products."""
    if isinstance(layer, torch.nn.Conv2d):
        terms = torch.nn.functional.conv2d(x * x, layer.weight**2, None, layer.stride, layer.padding, layer.dilation,
                                           layer.groups)
        return UNIT * (layer.weight[0].numel() * torch.maximum(terms, y * y)).sqrt()
    if isinstance(layer, torch.nn.Linear):
        terms = torch.nn.functional.linear(x * x, layer.weight**2, layer.bias**2)
        return UNIT * ((layer.in_features + 1) * torch.maximum(terms, y * y)).sqrt()
    return 0 * y if isinstance(layer, (torch.nn.ReLU, torch.nn.MaxPool2d)) else UNIT * y.abs()


def bounds(model, images, expected, runs):
    """λ times the root mean square of what the disturbed runs differ by, and two roundings of the result."""
    generator = torch.Generator().manual_seed(1)

    def disturb(layer, x, y):
        return y + rounding(layer, x[0], y) * torch.randn(y.shape, generator=generator, dtype=y.dtype)

    handles = [layer.register_forward_hook(disturb) for layer in model.modules() if isinstance(layer, LAYERS)]
    squares = sum((model(images) - expected)**2 for _ in range(runs))
    for handle in handles:
        handle.remove()
    return LAMBDA * (squares / runs).sqrt() + 2 * UNIT * expected.abs()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architecture")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--assay", default=".build/release/assay")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    model = getattr(torchvision.models, options.architecture)(weights=None)
    images = torch.rand(options.images, 3, options.image_size, options.image_size)
    with torch.no_grad():
        model.train()(images)  # So that the running statistics are not all 0 and 1.
    model.eval()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        torch.save(model.state_dict(), folder / "weights.pth")
        script = pathlib.Path(__file__).with_name("export_state_dict.py")
        subprocess.run([sys.executable, script, folder / "weights.pth", folder / "weights.h5"], check=True)
        with h5py.File(folder / "images.h5", "w", libver=("v108", "v108")) as file:
            file["images"], file["labels"] = images.numpy(), np.zeros(options.images, np.int64)
        save_file(model.state_dict(), folder / "weights.safetensors")
        logits = {}
        for kind in ("h5", "safetensors"):
            subprocess.run([options.assay, "evaluate", "--data", folder / "images.h5", "--weights",
                            folder / f"weights.{kind}", "--logits", folder / "logits.h5"], check=True)
            with h5py.File(folder / "logits.h5") as file:
                logits[kind] = torch.tensor(file["logits"][...])
        if not torch.equal(logits["h5"], logits["safetensors"]):
            sys.exit("the same weights as HDF5 and as safetensors give other logits")
        subprocess.run([options.assay, "model", options.architecture, "--weights", folder / "weights.h5",
                        "--out", folder / "back.safetensors"], check=True, stdout=subprocess.DEVNULL)
        back = load_file(folder / "back.safetensors")
        if back.keys() != model.state_dict().keys() or any(
                not torch.equal(back[key], value) for key, value in model.state_dict().items()):
            sys.exit("back.safetensors has other tensors than were saved")
        got = logits["h5"].double()
    with torch.no_grad():
        single = model(images)
        model, images = model.double(), images.double()
        expected = model(images)
        allowed = bounds(model, images, expected, options.runs)
    error = (got - expected).abs()
    worst, torchs = float((error / allowed).max()), float(((single.double() - expected).abs() / allowed).max())
    print(f"{options.architecture} {tuple(images.shape)}: largest error {float(error.max()):.3g} of logits up to "
          f"{float(expected.abs().max()):.3g}; error/bound {worst:.3f} (PyTorch's own float32: {torchs:.3f})")
    sys.exit(0 if worst <= 1 else 1)


if __name__ == "__main__":
    main()
