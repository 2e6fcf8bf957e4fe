"""Cases of whole networks: procedural weights, sampled stages, logits, gradients and buffers."""
import numpy as np

import digits
import pytorch_nets
import weights
from architectures import architecture
from golden_case import Case, Fill


def network(name, size, batch, training, tags=(), differentiate=True):
    """One pass of a network; the gradients are those of the loss."""
    plan = architecture(name)
    full = f"/resnet/{name}/{size}x{size}/{'training' if training else 'evaluation'}"
    fill = Fill(full)
    parameters, buffers = _state(name, fill)
    return Case(full, "resnet", {"architecture": name, "num_classes": plan.num_classes, "training": training}, "random",
                tags, inputs={"x": fill.procedural(batch, 3, size, size, low=-2.0, high=2.0),
                              "target": fill.rng.integers(0, plan.num_classes, batch).astype(np.int64)},
                parameters=parameters, buffers=buffers, sample_above=8, samples=6, output_samples=48,
                upstream={"loss": fill.cotangent(())}, differentiate=differentiate)


def training_run(name, architecture_name, attributes, batch, steps, tags=()):
    """Mini-batches of the training digits, each image at most once."""
    full = f"/training_run/{name}"
    fill = Fill(full)
    parameters, buffers = _state(architecture_name, fill, trained=False)
    images, labels, split = digits.load()
    rows = fill.rng.permutation(np.flatnonzero(split == 0))[:batch * steps]
    return Case(full, "training_run", {"architecture": architecture_name, "num_classes": 10, **attributes}, "random",
                tags, inputs={"images": digits.network_input(images[rows]), "labels": labels[rows],
                              "batches": np.arange(batch * steps, dtype=np.int64).reshape(steps, batch)},
                parameters=parameters, buffers=buffers, differentiate=False)


def _state(name, fill, trained=True):
    plan = architecture(name)
    shapes = weights.shapes_of(pytorch_nets.network(name, plan.num_classes))
    return weights.draw(fill, shapes, sum(plan.depths), trained)
