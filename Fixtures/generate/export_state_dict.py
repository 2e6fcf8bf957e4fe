"""Turns a torchvision or timm ResNet's weights (.pth, .pt, .safetensors) into Assay's HDF5 form.

    python export_state_dict.py resnet50.pth resnet50.h5 [--architecture resnet50]

The file has the root attributes schema = "assay.weights", schema_version = 1, architecture and num_classes, and one
dataset for each tensor, under its state_dict name, in the group state_dict: float32, int64 for num_batches_tracked.
"""
import argparse
import os
import pathlib
import pickle
import sys

import h5py
import numpy as np
import torch
from safetensors.torch import load_file

import pytorch_nets
from architectures import ARCHITECTURES

CIFAR = [f"cifar_resnet{depth}" for depth in (20, 32, 44, 56, 110, 1202)]
NESTED = ("state_dict", "model", "model_state_dict", "state_dict_ema")


class NotAResNet(Exception):
    """The file holds no state_dict of an architecture that Assay knows."""


def read(path):
    """The tensors by name; wrappers such as {"model": …} and DataParallel's `module.` prefix are taken off."""
    try:
        # From a pickle tensors alone: it could run anything.
        state = (load_file(str(path)) if path.suffix == ".safetensors"
                 else torch.load(path, map_location="cpu", weights_only=True))
    except pickle.UnpicklingError as error:
        # PyTorch's own words advise to run the file.
        raise NotAResNet(f"{path}: expected tensors alone, found a pickle of other objects or a damaged one; save a model "
                         "with torch.save(model.state_dict(), PATH)") from error
    except Exception as error:  # A damaged pickle raises whatever its bytes lead to.
        raise NotAResNet(f"{path}: not a readable file of tensors ({type(error).__name__}: {error})") from error
    for key in NESTED:
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict):
        raise NotAResNet(f"{path}: expected a state_dict, found {type(state).__name__}")
    state = {key.removeprefix("module."): value for key, value in state.items() if torch.is_tensor(value)}
    if "fc.weight" not in state:
        raise NotAResNet(f"{path}: no tensor is called fc.weight; found {sorted(state)[:5]} …")
    return state


def matching(state, name):
    """What differs between the state and the architecture's: names that miss, that are unknown, other shapes."""
    model = pytorch_nets.network(name, state["fc.weight"].shape[0]).state_dict()
    # Old checkpoints have no batch counters.
    missing = [key for key in model if key not in state and not key.endswith("num_batches_tracked")]
    unknown = [key for key in state if key not in model]
    shapes = [f"{key} {tuple(state[key].shape)} for {tuple(model[key].shape)}" for key in model
              if key in state and state[key].shape != model[key].shape]
    return missing, unknown, shapes


def recognise(state):
    for name in [*ARCHITECTURES, *CIFAR]:
        if not any(matching(state, name)):
            return name
    raise NotAResNet("no known architecture has these names and shapes; --architecture NAME tells what differs")


def write(state, name, path):
    model = pytorch_nets.network(name, state["fc.weight"].shape[0]).state_dict()
    temporary = path.with_name(path.name + ".tmp")
    with h5py.File(temporary, "w", libver=("v108", "v108")) as file:
        file.attrs["schema"], file.attrs["schema_version"] = "assay.weights", 1
        file.attrs["architecture"], file.attrs["num_classes"] = name, int(state["fc.weight"].shape[0])
        group = file.create_group("state_dict")
        for key in model:
            counter = key.endswith("num_batches_tracked")
            value = state[key].detach().cpu() if key in state else torch.zeros(())
            array = value.to(torch.int64 if counter else torch.float32).numpy()
            filters = {"chunks": True, "fletcher32": True} if array.nbytes > 4096 else {}
            group.create_dataset(key, data=array, track_times=False, **filters)
    os.replace(temporary, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("--architecture", choices=[*ARCHITECTURES, *CIFAR])
    options = parser.parse_args()
    try:
        state = read(options.source)
        name = options.architecture or recognise(state)
        missing, unknown, shapes = matching(state, name)
        if missing or unknown or shapes:
            raise NotAResNet(f"not {name}: missing {missing[:5]}, unknown {unknown[:5]}, other shapes {shapes[:5]}")
    except NotAResNet as error:
        print(error, file=sys.stderr)
        sys.exit(65)
    write(state, name, options.target)
    print(f"{options.target}: {name}, {len(state)} tensors, "
          f"{sum(np.prod(value.shape, dtype=np.int64) for value in state.values())} numbers")


if __name__ == "__main__":
    main()
