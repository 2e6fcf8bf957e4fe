"""Expected values from PyTorch's own layers and autograd, in float64 on one thread."""
import os
import warnings

# The same instructions on every x86-64 machine with AVX2, so that bytes rarely differ. Must precede the import.
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")
os.environ.setdefault("MKL_CBWR", "AVX2")

import numpy as np
import torch
from torch.nn import functional

import pytorch_nets
import pytorch_training
from golden_case import array

warnings.filterwarnings("ignore", message="Using padding='same' with even kernel")
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

GENERATOR = f"PyTorch {torch.__version__.split('+')[0]}"


def _pair(value):
    return tuple(int(v) for v in value) if isinstance(value, (list, tuple, np.ndarray)) else value


def _pairs(attributes, *keys):
    return {key: _pair(attributes[key]) for key in keys if key in attributes}


def conv2d(t, a, buffers):
    return {"y": functional.conv2d(t["x"], t["weight"], t.get("bias"), groups=a.get("groups", 1),
                                   **_pairs(a, "stride", "padding", "dilation"))}


def conv_transpose2d(t, a, buffers):
    return {"y": functional.conv_transpose2d(t["x"], t["weight"], t.get("bias"), groups=a.get("groups", 1),
                                             **_pairs(a, "stride", "padding", "output_padding", "dilation"))}


def batch_norm2d(t, a, buffers):
    x = t["x"]
    layer = torch.nn.BatchNorm2d(
        x.shape[1], eps=a.get("eps", 1e-5), momentum=_momentum(a), affine="weight" in t,
        track_running_stats="running_mean" in buffers, dtype=torch.float64)
    layer.train(bool(a.get("training", False)))
    tensors = {key: t[key] for key in ("weight", "bias") if key in t}
    state = {key: torch.from_numpy(np.array(value, dtype=np.int64 if key.startswith("num") else np.float64))
             for key, value in buffers.items()}
    y = torch.func.functional_call(layer, {**tensors, **state}, (x,))
    # functional_call leaves the updated buffers in the tensors that it was given.
    for key in buffers:
        buffers[key] = state[key].numpy()
    return {"y": y}


def _momentum(a):
    momentum = a.get("momentum", 0.1)
    return None if np.isnan(momentum) else momentum


def max_pool2d(t, a, buffers):
    y, indices = functional.max_pool2d(
        t["x"], return_indices=True, ceil_mode=bool(a.get("ceil_mode", False)),
        **_pairs(a, "kernel_size", "stride", "padding", "dilation"))
    return {"y": y, "indices": indices}


def avg_pool2d(t, a, buffers):
    return {"y": functional.avg_pool2d(
        t["x"], ceil_mode=bool(a.get("ceil_mode", False)), count_include_pad=bool(a.get("count_include_pad", True)),
        divisor_override=a.get("divisor_override"), **_pairs(a, "kernel_size", "stride", "padding"))}


def upsample2d(t, a, buffers):
    mode = a.get("mode", "nearest")
    corners = bool(a.get("align_corners", False))
    # PyTorch takes no value at all, not even false, where the mode does not interpolate.
    align = {"align_corners": corners} if mode == "bilinear" or corners else {}
    scale = a.get("scale_factor")
    if isinstance(scale, (list, tuple, np.ndarray)):
        scale = tuple(float(s) for s in scale)
    return {"y": functional.interpolate(t["x"], mode=mode, size=_pair(a.get("size")), scale_factor=scale, **align)}


def group_norm(t, a, buffers):
    # The function itself: torch.nn.functional's refuses a single value a channel, as if it were a batch norm.
    return {"y": torch.group_norm(t["x"], a["num_groups"], t.get("weight"), t.get("bias"), a.get("eps", 1e-5))}


def layer_norm(t, a, buffers):
    x, dims = t["x"], a["normalized_dims"]
    # The shape that so many axes would have, so that PyTorch is who refuses where x has fewer.
    shape = (1,) * (dims - x.dim()) + (tuple(x.shape[-dims:]) if dims > 0 else ())
    return {"y": functional.layer_norm(x, shape, t.get("weight"), t.get("bias"), a.get("eps", 1e-5))}


def cross_entropy(t, a, buffers):
    return {"loss": functional.cross_entropy(
        t["x"], t["target"], weight=t.get("weight"), reduction=a.get("reduction", "mean"),
        ignore_index=a.get("ignore_index", -100), label_smoothing=a.get("label_smoothing", 0.0))}


OPERATIONS = {
    "conv2d": conv2d,
    "conv_transpose2d": conv_transpose2d,
    "batch_norm2d": batch_norm2d,
    "relu": lambda t, a, b: {"y": functional.relu(t["x"])},
    "gelu": lambda t, a, b: {"y": functional.gelu(t["x"], approximate=a.get("approximate", "none"))},
    "silu": lambda t, a, b: {"y": functional.silu(t["x"])},
    "identity": lambda t, a, b: {"y": torch.nn.Identity()(t["x"])},
    "dropout": lambda t, a, b: {"y": functional.dropout(t["x"], 0.5, training=False)},
    "softmax": lambda t, a, b: {"y": functional.softmax(t["x"], 1)},
    "log_softmax": lambda t, a, b: {"y": functional.log_softmax(t["x"], 1)},
    "flatten": lambda t, a, b: {"y": torch.flatten(t["x"], 1)},
    "add": lambda t, a, b: {"y": t["x"] + t["other"]},
    "max_pool2d": max_pool2d,
    "avg_pool2d": avg_pool2d,
    "adaptive_avg_pool2d":
        lambda t, a, b: {"y": functional.adaptive_avg_pool2d(t["x"], _pair(a["output_size"]))},
    "upsample2d": upsample2d,
    "scaled_add": lambda t, a, b: {"y": torch.add(t["x"], t["other"], alpha=a.get("alpha", 1.0))},
    "linear": lambda t, a, b: {"y": functional.linear(t["x"], t["weight"], t.get("bias"))},
    "cross_entropy": cross_entropy,
    "group_norm": group_norm,
    "layer_norm": layer_norm,
    "basic_block": pytorch_nets.basic_block,
    "bottleneck": pytorch_nets.bottleneck,
    "residual_block": pytorch_nets.residual_block,
    "resnet": pytorch_nets.resnet,
    "sgd_step": lambda t, a, b: pytorch_training.step("sgd", t, a, b),
    "adam_step": lambda t, a, b: pytorch_training.step("adam", t, a, b),
    "adamw_step": lambda t, a, b: pytorch_training.step("adamw", t, a, b),
}
WITHOUT_GRADIENT = {"target"}


def evaluate(case, draw_upstream):
    """Outputs, buffers afterwards, cotangents and gradients of a case, as NumPy arrays.

    `draw_upstream(name, shape)` gives the cotangent of one output, or None for an output that has none.
    """
    tensors = {}
    leaves = {}
    for key, value in {**case.inputs, **case.parameters}.items():
        numbers = array(value)
        tensor = torch.from_numpy(np.array(numbers, dtype=np.float64 if numbers.dtype.kind == "f" else np.int64))
        # Cross-entropy's class weights are constants: its gradient is that of the logits alone.
        if tensor.is_floating_point() and key not in WITHOUT_GRADIENT and (
                case.operation != "cross_entropy" or key == "x"):
            leaves[key] = tensor.requires_grad_(case.differentiate)
        tensors[key] = tensor
    buffers = {key: array(value) for key, value in case.buffers.items()}
    outputs = OPERATIONS[case.operation](tensors, case.attributes, buffers)
    # A copy: an operation such as identity returns its input itself.
    result = {key: value.detach().numpy().copy() for key, value in outputs.items()}
    upstream, gradients = {}, {}
    if case.differentiate:
        drawn = {key: draw_upstream(key, tuple(value.shape)) for key, value in outputs.items()
                 if value.is_floating_point()}
        upstream = {key: value for key, value in drawn.items() if value is not None}
        cotangents = [torch.from_numpy(np.array(array(value), dtype=np.float64)) for value in upstream.values()]
        found = torch.autograd.grad([outputs[key] for key in upstream], list(leaves.values()), cotangents)
        gradients = {key: value.numpy().copy() for key, value in zip(leaves, found)}
    return result, buffers, upstream, gradients


def require_refusal(case):
    """PyTorch must refuse the case too, unless the case says that it does not."""
    # The forward pass alone must refuse: autograd would object to integers for reasons of its own.
    case.differentiate = False
    try:
        evaluate(case, lambda key, shape: np.ones(shape))
    except (RuntimeError, ValueError, IndexError, TypeError, NotImplementedError):
        refused = True
    else:
        refused = False
    if refused == case.accepted_by_pytorch:
        raise ValueError(f"{case.name}: PyTorch {'refuses' if refused else 'accepts'} this")
