"""Procedural weights for blocks and networks, such that activations and gradients stay near one at any depth."""
import numpy as np


def draw(fill, shapes, blocks=1, trained=True):
    """Parameters and buffers (recipes) for a module's state, given as shapes by name.

    Convolutions are uniform with Kaiming's variance. The last batch norm of a block is scaled by √(blocks), so that the
    sum over the shortcuts stays bounded in evaluation mode, where nothing else bounds it. `trained=False` gives the usual
    start instead: batch norms that do nothing yet, stored as such.
    """
    parameters, buffers = {}, {}
    branch = min(1.0, 1.5 * blocks**-0.5)
    for name, shape in shapes.items():
        if not trained and len(shape) < 2:
            _fresh(fill, name, shape, parameters, buffers)
            continue
        if name.endswith("num_batches_tracked"):
            buffers[name] = np.array(3, dtype=np.int64)
        elif name.endswith("running_mean"):
            buffers[name] = fill.procedural(*shape, low=-0.2, high=0.2)
        elif name.endswith("running_var"):
            buffers[name] = fill.procedural(*shape, low=0.5, high=1.5)
        elif len(shape) == 4:
            bound = (6 / np.prod(shape[1:])) ** 0.5
            parameters[name] = fill.procedural(*shape, low=-bound, high=bound)
        elif len(shape) == 2:
            bound = shape[1] ** -0.5
            parameters[name] = fill.procedural(*shape, low=-bound, high=bound)
        elif name.endswith("bias"):
            parameters[name] = fill.procedural(*shape, low=-0.2, high=0.2)
        else:
            last = name.endswith(("bn2.weight", "bn3.weight")) and blocks > 1
            scale = branch if last else 1.0
            parameters[name] = fill.procedural(*shape, low=0.5 * scale, high=1.5 * scale)
    return parameters, buffers


def _fresh(fill, name, shape, parameters, buffers):
    if name.endswith("num_batches_tracked"):
        buffers[name] = np.array(0, dtype=np.int64)
    elif "running" in name:
        value = 1.0 if name.endswith("var") else 0.0
        buffers[name] = fill.procedural(*shape, low=value, high=value)
    else:
        value = 1.0 if name.endswith("weight") else 0.0
        parameters[name] = fill.procedural(*shape, low=value, high=value)


def shapes_of(module):
    return {name: tuple(value.shape) for name, value in module.state_dict().items()}
