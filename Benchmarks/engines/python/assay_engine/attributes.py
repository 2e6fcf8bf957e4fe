"""The attributes of every operation, as keyword arguments: Fixtures/FORMAT.md gives the same defaults."""

import numpy as np

from .refusals import Refused

REQUIRED = object()
# The kernel's size where the case gives none.
_KERNEL = object()


def _pair(name, default=REQUIRED):
    return name, default, lambda case: case.pair(name, default)


def _of_kernel(name):
    return name, _KERNEL, lambda case: case.pair(name if name in case.attributes else "kernel_size", 0)


def _padding(name="padding"):
    return name, (0, 0), lambda case: case.padding()


def _integer(name, default=REQUIRED):
    return name, default, lambda case: case.integer(name, default)


def _real(name, default=REQUIRED):
    return name, default, lambda case: case.real(name, default)


def _reals(name, default):
    return name, default, lambda case: case.reals(name, default)


def _boolean(name, default=False):
    return name, default, lambda case: case.boolean(name, default)


def _string(name, default=REQUIRED):
    return name, default, lambda case: case.string(name, default)


def _optional(name, read):
    """None where the case does not give it."""
    return name, None, lambda case: read(case, name) if name in case.attributes else None


_WINDOW = (_pair("kernel_size"), _of_kernel("stride"), _pair("padding", (0, 0)))
_CONVOLUTION = (_pair("dilation", (1, 1)), _integer("groups", 1))
_BLOCK = (
    _integer("stride", 1), _boolean("training"), _integer("groups", 1), _integer("base_width", 64),
    _integer("dilation", 1))
_SGD = (_real("momentum", 0.0), _real("dampening", 0.0), _boolean("nesterov"))


def _adam(weight_decay):
    return (
        _real("lr", 1e-3), _reals("betas", (0.9, 0.999)), _real("eps", 1e-8), _real("weight_decay", weight_decay),
        _boolean("amsgrad"), _integer("first_step", 1))


# By operation: name, default and reader of each attribute.
ATTRIBUTES = {
    "conv2d": (_pair("stride", (1, 1)), _padding(), *_CONVOLUTION),
    "conv_transpose2d": (
        _pair("stride", (1, 1)), _pair("padding", (0, 0)), _pair("output_padding", (0, 0)), *_CONVOLUTION),
    "batch_norm2d": (_boolean("training"), _real("momentum", 0.1), _real("eps", 1e-5)),
    "group_norm": (_integer("num_groups"), _real("eps", 1e-5)),
    "layer_norm": (_integer("normalized_dims"), _real("eps", 1e-5)),
    "max_pool2d": (*_WINDOW, _pair("dilation", (1, 1)), _boolean("ceil_mode")),
    "avg_pool2d": (
        *_WINDOW, _boolean("ceil_mode"), _boolean("count_include_pad", True),
        _optional("divisor_override", lambda case, name: case.integer(name, 0))),
    "adaptive_avg_pool2d": (_pair("output_size"),),
    "upsample2d": (
        _string("mode", "nearest"), _optional("size", lambda case, name: case.pair(name, 0)),
        _optional("scale_factor", lambda case, name: case.reals(name, 0)), _boolean("align_corners")),
    "cross_entropy": (_string("reduction", "mean"), _integer("ignore_index", -100), _real("label_smoothing", 0.0)),
    "gelu": (_string("approximate", "none"),),
    "scaled_add": (_real("alpha", 1.0),),
    "basic_block": _BLOCK,
    "bottleneck": _BLOCK,
    "sgd_step": (_real("lr"), *_SGD, _real("weight_decay", 0.0)),
    "adam_step": _adam(0.0),
    "adamw_step": _adam(0.01),
    "resnet": (_string("architecture"), _boolean("training"), _integer("num_classes", 1000)),
    **{
        name: () for name in (
            "relu", "identity", "dropout", "softmax", "log_softmax", "flatten", "add", "linear", "silu")
    },
}

# What a case's group holds beside the operation's own attributes.
_OF_THE_FORMAT = ("operation", "fill", "tags", "operand_dtype", "expect_error", "dtype")


def keywords(case):
    """A case's attributes with their defaults; those of an operation that is not known, as they are."""
    known = ATTRIBUTES.get(case.operation)
    if known is None:
        return {
            name: value.item() if isinstance(value, np.generic) else value
            for name, value in case.attributes.items() if name not in _OF_THE_FORMAT
        }
    found = {}
    for name, default, read in known:
        if default is REQUIRED and name not in case.attributes:
            raise Refused("invalid_argument", f"{case.operation}: expected the attribute {name}, found none")
        found[name] = read(case)
    return found


def differs_from_default(operation, name, value):
    """Whether an attribute asks for anything that a function without it would not do."""
    for known, default, _ in ATTRIBUTES.get(operation, ()):
        if known == name:
            return default is REQUIRED or value != default
    return True
