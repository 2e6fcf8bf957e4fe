"""Every operation at sizes around what vectors, tiles and threads hold, and with every two attributes together.

Each function says how problems of its operation are made; covering.py chooses few of them that hold every class.
"""
import numpy as np
from torchvision.models.resnet import BasicBlock, Bottleneck

import covering
from cases import blocks
from covering import BATCH, CHANNELS, EXTENT, LAST, LENGTH, SIDE, Problem
from golden_case import Case, Fill

# Larger operands are recipes, and of larger results some elements are kept: sums over all show what is not among them.
STORED = 48
SAMPLE_ABOVE, SAMPLES = 256, 32
# Of sums of products every second problem that is no larger has integers, which are no recipe.
EXACT_BELOW = 4096


def any_shape(choices):
    """A vector, or from two to five axes of which the last is the one that a kernel runs along."""
    rank = choices.form("rank", [1, 2, 4, 3, 5])
    if rank == 1:
        return (choices.size("length", LENGTH),)
    return (*(choices.small() for _ in range(rank - 1)), choices.size("last axis", LAST))


def image(choices, least=(1, 1)):
    return (choices.size("N", BATCH), choices.size("C", CHANNELS), choices.size("H", SIDE, least[0]),
            choices.size("W", SIDE, least[1]))


def elementwise(*names, **attributes):
    """An operation of these inputs; `attributes` are lists of values."""

    def make(choices):
        shape = any_shape(choices)
        chosen = {name: choices.option(name, values) for name, values in attributes.items()}
        return Problem(times(shape) + words(chosen), chosen, {name: shape for name in names}, outputs={"y": shape})

    return make


def times(shape):
    return "x".join(map(str, shape)) or "scalar"


def words(attributes):
    def word(value):
        return "x".join(map(word, value)) if isinstance(value, (tuple, list)) else str(value)

    return "".join(f"_{name}{word(value)}" for name, value in attributes.items()).replace("/", "_")


def flatten(choices):
    shape = any_shape(choices)
    if len(shape) == 1:
        return None
    return Problem(times(shape), {}, {"x": shape}, outputs={"y": (shape[0], covering.count(shape[1:]))})


def softmax(choices):
    if choices.form("rank", [2, 4]) == 2:
        shape = choices.size("N", BATCH), choices.size("classes", EXTENT)
    else:
        shape = choices.small(), choices.size("classes", EXTENT), choices.small(), choices.size("W", LAST)
    return Problem(times(shape), {}, {"x": shape}, outputs={"y": shape})


def grouped(choices):
    """Input channels, output channels, groups and what divides them."""
    form = choices.option("grouping", ["whole", "grouped", "depthwise", "multiplier"])
    if form == "whole":
        return choices.size("C", CHANNELS), choices.size("K", CHANNELS), 1
    if form == "grouped":
        groups = choices.size("groups", [2, 3, 8, 16])
        return groups * choices.size("C/groups", [1, 3, 4, 9]), groups * choices.size(
            "K/groups", [1, 3, 4, 9]), groups
    channels = choices.size("C", CHANNELS)
    return channels, channels * (2 if form == "multiplier" else 1), channels


def without_defaults(attributes):
    """Attributes of a convolution but for those that say what holds without them."""
    simplest = {"stride": (1, 1), "padding": (0, 0), "output_padding": (0, 0), "dilation": (1, 1), "groups": 1}
    return {key: value for key, value in attributes.items() if value != simplest[key]}


def conv2d(choices):
    c, k, groups = grouped(choices)
    kernel = choices.pair("kernel", [3, 1, 2, 5, 7])
    stride, dilation = choices.pair("stride", [1, 2, 3]), choices.pair("dilation", [1, 2, 3])
    form = choices.option("padding", ["numbers", "same", "valid"])
    padding = choices.pair("pad", [1, 0, 2, 3]) if form == "numbers" else (0, 0)
    if form == "same" and stride != (1, 1):
        return None
    reach = [dilation[i] * (kernel[i] - 1) + 1 for i in (0, 1)]
    n, _, h, w = shape = (choices.size("N", BATCH), c, *(
        choices.size(name, SIDE, 1 if form == "same" else reach[i] - 2 * padding[i]) for i, name in enumerate("HW")))
    p, q = (h, w) if form == "same" else ((shape[2 + i] + 2 * padding[i] - reach[i]) // stride[i] + 1 for i in (0, 1))
    attributes = without_defaults(
        {"stride": stride, "padding": padding if form == "numbers" else form, "dilation": dilation, "groups": groups})
    parameters = {"weight": (k, c // groups, *kernel)}
    if choices.flag("bias"):
        parameters["bias"] = (k,)
    return Problem(times(shape) + f"_k{times((k, *kernel))}" + words(attributes), attributes, {"x": shape}, parameters,
                   outputs={"y": (n, k, p, q)}, work=n * k * p * q * c // groups * kernel[0] * kernel[1])


def conv_transpose2d(choices):
    c, k, groups = grouped(choices)
    kernel = choices.pair("kernel", [3, 1, 2, 4, 5])
    stride, dilation = choices.pair("stride", [1, 2, 3]), choices.pair("dilation", [1, 2])
    padding, extra = choices.pair("pad", [0, 1, 2]), choices.pair("output_padding", [0, 1])
    if any(extra[i] >= max(stride[i], dilation[i]) for i in (0, 1)):
        return None
    n, _, h, w = shape = choices.size("N", BATCH), c, choices.size("H", SIDE), choices.size("W", SIDE)
    p, q = (stride[i] * ((h, w)[i] - 1) + dilation[i] * (kernel[i] - 1) + 1 + extra[i] - 2 * padding[i] for i in (0, 1))
    if min(p, q) < 1:
        return None
    attributes = without_defaults(
        {"stride": stride, "padding": padding, "output_padding": extra, "dilation": dilation, "groups": groups})
    parameters = {"weight": (c, k // groups, *kernel)}
    if choices.flag("bias"):
        parameters["bias"] = (k,)
    return Problem(times(shape) + f"_k{times((k, *kernel))}" + words(attributes), attributes, {"x": shape}, parameters,
                   outputs={"y": (n, k, p, q)}, work=n * c * h * w * k // groups * kernel[0] * kernel[1])


def linear(choices):
    n, features, out = choices.size("N", BATCH), choices.size("in", EXTENT), choices.size("out", EXTENT)
    parameters = {"weight": (out, features)}
    if choices.flag("bias"):
        parameters["bias"] = (out,)
    return Problem(f"{n}x{features}_to_{out}" + ("_bias" if "bias" in parameters else ""), {}, {"x": (n, features)},
                   parameters, outputs={"y": (n, out)}, work=n * features * out)


def batch_norm2d(choices):
    training, affine = choices.flag("training"), choices.flag("affine")
    tracked = choices.flag("tracked")
    momentum = choices.option("momentum", [0.1, 0.5, 1.0, 0.0, float("nan")])
    eps = choices.option("eps", [1e-5, 1e-3, 0.1])
    if np.isnan(momentum) and not tracked:
        return None
    shape = image(choices)
    n, c, h, w = shape
    if n * h * w < 8:
        return None
    channels = (c,)
    buffers = {"running_mean": channels, "running_var": channels, "num_batches_tracked": ()} if tracked else {}
    attributes = {"training": training, "momentum": momentum, "eps": eps}
    kept = "_and_".join(["affine"] * affine + ["statistics"] * tracked) or "neither_affine_nor_statistics"
    label = times(shape) + words(attributes) + "_" + kept
    return Problem(label, attributes, {"x": shape}, {"weight": channels, "bias": channels} if affine else {}, buffers,
                   {"y": shape})


def affine_parts(choices, shape):
    present = {"both": ["weight", "bias"], "neither": [], "weight": ["weight"], "bias": ["bias"]}
    return dict.fromkeys(present[choices.option("affine", list(present))], shape)


def group_norm(choices):
    groups, inside = choices.size("groups", BATCH), choices.size("C/groups", [1, 2, 3, 8, 17, 64])
    n, h, w = choices.size("N", BATCH), choices.size("H", SIDE), choices.size("W", SIDE)
    shape = n, groups * inside, h, w
    parameters = affine_parts(choices, (shape[1],))
    attributes = {"num_groups": groups, "eps": choices.option("eps", [1e-5, 1e-3, 0.1])}
    if inside * h * w < 8:
        return None
    return Problem(times(shape) + words(attributes) + words(dict.fromkeys(parameters, "")), attributes, {"x": shape},
                   parameters, outputs={"y": shape})


def layer_norm(choices):
    dims = choices.option("normalized_dims", [1, 2, 3])
    rank = choices.option("rank", [2, 3, 4])
    shape = (*((choices.size("N", BATCH), choices.size("C", SIDE), choices.size("H", SIDE))[:rank - 1]),
             choices.size("row", EXTENT))
    if dims > rank or covering.count(shape[-dims:]) < 8:
        return None
    parameters = affine_parts(choices, shape[-dims:])
    attributes = {"normalized_dims": dims, "eps": choices.option("eps", [1e-5, 1e-3, 0.1])}
    return Problem(times(shape) + words(attributes) + words(dict.fromkeys(parameters, "")), attributes, {"x": shape},
                   parameters, outputs={"y": shape})


def windows(choices, dilations):
    """An image, and attributes of windows that fit it."""
    kernel = choices.pair("kernel", [2, 3, 1, 4, 5])
    attributes = {"kernel_size": kernel, "stride": choices.pair("stride", [2, 1, 3])}
    padding = choices.pair("pad", [0, 1, 2])
    dilation = choices.pair("dilation", dilations) if len(dilations) > 1 else (1, 1)
    if any(padding[i] > kernel[i] // 2 for i in (0, 1)):
        return None
    attributes |= {"padding": padding, "ceil_mode": choices.flag("ceil_mode")}
    if len(dilations) > 1:
        attributes["dilation"] = dilation
    # No dilated window sees padding alone, for which PyTorch's backward pass writes outside the plane (../README.md).
    least = [dilation[i] * (kernel[i] - 1) + 1 - 2 * padding[i] * (dilation[i] == 1) for i in (0, 1)]
    return image(choices, least), attributes


def max_pool2d(choices):
    made = windows(choices, [1, 2, 3])
    if made is None:
        return None
    shape, attributes = made
    return Problem(times(shape) + words(attributes), attributes, {"x": shape}, outputs={"y": shape})


def avg_pool2d(choices):
    made = windows(choices, [1])
    if made is None:
        return None
    shape, attributes = made
    attributes["count_include_pad"] = not choices.flag("pad_left_out")
    divisor = choices.option("divisor_override", [None, 3, 8])
    if divisor is not None:
        attributes["divisor_override"] = divisor
    return Problem(times(shape) + words(attributes), attributes, {"x": shape}, outputs={"y": shape})


def adaptive_avg_pool2d(choices):
    size = choices.size("P", [1, 2, 3, 7, 8, 13, 17, 32]), choices.size("Q", [1, 2, 5, 7, 8, 15, 17, 33])
    shape = image(choices)
    return Problem(times(shape) + f"_to_{times(size)}", {"output_size": size}, {"x": shape},
                   outputs={"y": (*shape[:2], *size)})


def upsample2d(choices):
    mode = choices.option("mode", ["nearest", "bilinear", "bilinear_corners"])
    attributes = {"mode": mode.split("_")[0], "align_corners": mode == "bilinear_corners"}
    shape = image(choices)
    if choices.flag("size"):
        size = attributes["size"] = choices.size("P", LAST), choices.size("Q", LAST)
    else:
        # Factors of few bits: others leave pixels to rounding, which is no matter of size.
        factors = attributes["scale_factor"] = choices.pair("factor", [2.0, 1.5, 0.5, 3.0])
        size = [int(shape[2 + i] * factors[i]) for i in (0, 1)]
    if min(size) < 1:
        return None
    return Problem(times(shape) + words(attributes), attributes, {"x": shape}, outputs={"y": (*shape[:2], *size)})


def cross_entropy(choices):
    n, c = choices.size("N", [*BATCH, 47, 64, 65, 127, 129]), choices.size("classes", EXTENT)
    target = choices.option("target", ["indices", "probabilities", "ignored"])
    attributes = {"reduction": choices.option("reduction", ["mean", "sum", "none"]),
                  "label_smoothing": choices.option("smoothing", [0.0, 0.1, 1.0])}
    if target == "ignored":
        attributes["ignore_index"] = 0
    parameters = {"weight": (c,)} if choices.flag("weighted") else {}
    return Problem(f"{n}x{c}_{target}" + words(attributes) + "_weighted" * len(parameters), attributes,
                   {"x": (n, c), "target": (n, c) if target == "probabilities" else (n,)}, parameters,
                   outputs={"loss": (n,)})


def stepped(choices):
    """A parameter's shape, and how many steps it takes."""
    shape = any_shape(choices)
    return shape, choices.size("steps", [1, 2, 3, 4, 5, 8, 9, 16, 17, 20, 33])


def sgd_step(choices):
    shape, steps = stepped(choices)
    momentum = choices.option("momentum", [0.0, 0.9])
    attributes = {"lr": choices.option("lr", [0.1, 1e-3]), "momentum": momentum,
                  "dampening": choices.option("dampening", [0.0, 0.1]), "nesterov": choices.flag("nesterov"),
                  "weight_decay": choices.option("weight_decay", [0.0, 0.01])}
    # PyTorch's rule.
    if attributes["nesterov"] and (momentum == 0 or attributes["dampening"] != 0):
        return None
    return Problem(f"{steps}_steps_{times(shape)}" + words(attributes), attributes, {"gradients": (steps, *shape)},
                   {"p": shape}, outputs={"trajectory": (steps, *shape)})


def adam_step(choices):
    shape, steps = stepped(choices)
    first, amsgrad = choices.option("first_step", [1, 2, 1000]), choices.flag("amsgrad")
    attributes = {"lr": choices.option("lr", [1e-3, 0.1]), "betas": choices.option("betas", [(0.9, 0.999), (0.5, 0.9)]),
                  "eps": choices.option("eps", [1e-8, 1e-3]), "amsgrad": amsgrad,
                  "weight_decay": choices.option("weight_decay", [0.0, 0.5])}
    buffers = {}
    if first > 1:
        attributes["first_step"] = first
        buffers = {"exp_avg": shape, "exp_avg_sq": shape} | ({"max_exp_avg_sq": shape} if amsgrad else {})
    return Problem(f"{steps}_steps_{times(shape)}" + words(attributes), attributes, {"gradients": (steps, *shape)},
                   {"p": shape}, buffers, {"trajectory": (steps, *shape)})


def basic_block(choices):
    attributes = {"training": choices.flag("training"), "stride": choices.option("stride", [1, 2])}
    return block("basic_block", BasicBlock, choices, attributes)


def bottleneck(choices):
    attributes = {"training": choices.flag("training"), "stride": choices.option("stride", [1, 2]),
                  "dilation": choices.option("dilation", [1, 2]), "groups": choices.option("groups", [1, 2])}
    return block("bottleneck", Bottleneck, choices, attributes)


def block(operation, kind, choices, attributes):
    projection = choices.flag("projection")
    planes = choices.size("planes", [2, 9])
    if attributes["stride"] != 1 and not projection or planes % attributes.get("groups", 1):
        return None
    out = planes * kind.expansion
    shape = block_input(choices, choices.size("C", [3, 9]) if projection else out)
    label = times(shape) + f"_planes{planes}" + words(attributes) + "_projection" * projection
    # Of two 3×3 convolutions, or of one between two 1×1.
    return Problem(label, attributes, {"x": shape}, outputs={"y": (shape[0], out, *shape[2:])},
                   work=covering.count(shape) * out * 18,
                   module=lambda: blocks.block(kind, shape[1], planes, attributes, projection))


def block_input(choices, channels):
    return choices.size("N", [1, 3]), channels, choices.size("H", [2, 9]), choices.size("W", [7, 15, 17, 33])


def residual_block(choices):
    out, stride = choices.size("K", [2, 9]), choices.option("stride", [1, 2])
    kernels = choices.option("kernels", [(3,), (1, 3), (3, 3, 3)])
    shape = block_input(choices, choices.size("C", [3, 9]))

    def convolution(kernel, place):
        return [f"conv k={kernel} out={out} stride={1 if place else stride} pad={kernel // 2} groups=1", "bn"]

    stages = [stage for place, kernel in enumerate(kernels)
              for stage in ["relu"] * (place > 0) + convolution(kernel, place)]
    training = choices.flag("training")
    label = times(shape) + f"_k{out}_stride{stride}_kernels{times(kernels)}" + "_training" * training
    attributes = {"training": training, "stages": stages, "shortcut": convolution(1, 0)}
    return Problem(label, attributes, {"x": shape}, outputs={"y": (shape[0], out, *shape[2:])},
                   work=covering.count(shape) * out * 9 * len(kernels),
                   module=lambda: blocks.residual(shape[1], stages, attributes["shortcut"]))


OPERATIONS = {
    "relu": elementwise("x"), "identity": elementwise("x"), "dropout": elementwise("x"), "flatten": flatten,
    "gelu": elementwise("x", approximate=["none", "tanh"]), "silu": elementwise("x"), "add": elementwise("x", "other"),
    "scaled_add": elementwise("x", "other", alpha=[0.5, 0.1, -1.0]), "softmax": softmax, "log_softmax": softmax,
    "conv2d": conv2d, "conv_transpose2d": conv_transpose2d, "linear": linear, "batch_norm2d": batch_norm2d,
    "group_norm": group_norm, "layer_norm": layer_norm, "max_pool2d": max_pool2d, "avg_pool2d": avg_pool2d,
    "adaptive_avg_pool2d": adaptive_avg_pool2d, "upsample2d": upsample2d, "cross_entropy": cross_entropy,
    "sgd_step": sgd_step, "adam_step": adam_step, "adamw_step": adam_step, "basic_block": basic_block,
    "bottleneck": bottleneck, "residual_block": residual_block,
}
# Blocks are judged by runs whose every layer is perturbed: what they may take is less.
BLOCKS = {"basic_block", "bottleneck", "residual_block"}
BLOCK_BUDGET = covering.Budget(elements=1 << 12, work=1 << 18)
SUMS_OF_PRODUCTS = {"conv2d", "conv_transpose2d", "linear"}
NORMS = {"batch_norm2d", "group_norm", "layer_norm"}
# Where operands lie that do not lie from -1 to 1.
RANGES = {
    ("softmax", "x"): (-4, 4), ("log_softmax", "x"): (-4, 4), ("gelu", "x"): (-4, 4), ("silu", "x"): (-6, 6),
    ("cross_entropy", "x"): (-4, 4), ("cross_entropy", "weight"): (0.25, 2), ("batch_norm2d", "x"): (-1, 2),
    ("batch_norm2d", "running_var"): (0.5, 1.5), **{(operation, "weight"): (0.5, 1.5) for operation in NORMS},
    **{(operation, name): bounds for operation in ("adam_step", "adamw_step") for name, bounds in (
        ("exp_avg", (-0.1, 0.1)), ("exp_avg_sq", (0.01, 0.5)), ("max_exp_avg_sq", (0.5, 0.75)))},
}


def cases():
    for operation, make in OPERATIONS.items():
        budget = BLOCK_BUDGET if operation in BLOCKS else covering.Budget()
        for number, problem in enumerate(covering.cover(make, operation, budget)):
            if operation in BLOCKS:
                yield block_case(f"/{operation}/size_classes/{problem.label}/random", operation, problem)
                continue
            exact = operation in SUMS_OF_PRODUCTS and number % 2 == 1 and sum(problem.sizes()) <= EXACT_BELOW
            name = f"/{operation}/size_classes/{problem.label}/{'exact' if exact else 'random'}"
            yield (exact_case if exact else random_case)(name, operation, problem)


def block_case(name, operation, problem):
    built = blocks.build(name, operation, problem.inputs["x"], problem.attributes, problem.module())
    built.inputs["x"] = Fill(name + " x").procedural(*problem.inputs["x"])
    built.cotangents_are_recipes = True
    return built


def random_case(name, operation, problem):
    fill = Fill(name)

    def draw(key, shape):
        if key == "num_batches_tracked":
            return np.array(3, dtype=np.int64)
        if key == "target":
            return target(fill, problem)
        low, high = RANGES.get((operation, key), (-1, 1))
        if operation in SUMS_OF_PRODUCTS and key == "weight":
            low, high = -(reach := (3 / terms(problem)) ** 0.5), reach
        recipe = fill.procedural(*shape, low=low, high=high)
        return recipe.array() if covering.count(shape) <= STORED else recipe

    groups = ({key: draw(key, shape) for key, shape in group.items()}
              for group in (problem.inputs, problem.parameters, problem.buffers))
    inputs, parameters, buffers = groups
    return Case(name, operation, problem.attributes, "random", inputs=inputs, parameters=parameters, buffers=buffers,
                differentiate="trajectory" not in problem.outputs, cotangents_are_recipes=True,
                sample_above=SAMPLE_ABOVE, samples=SAMPLES)


def terms(problem):
    """Of the longest sum that gives an output, in products."""
    return max(1, problem.work // max(1, covering.count(problem.outputs["y"])))


def exact_case(name, operation, problem):
    """Inputs of as many bits as leave every sum, forward and backward, below 2^24 units."""
    fill = Fill(name)
    (x,), (y,) = problem.inputs.values(), problem.outputs.values()
    longest = max(terms(problem), covering.count(x) // x[1], covering.count(y) // y[1])
    parameters = {"weight": fill.integers(*problem.parameters["weight"], limit=8, unit=0.125)}
    if "bias" in problem.parameters:
        parameters["bias"] = fill.integers(y[1], limit=64, unit=2.0**-5)
    return Case(name, operation, problem.attributes, "exact",
                inputs={"x": fill.integers(*x, limit=min(1024, 2**19 // longest), unit=0.25)}, parameters=parameters,
                sample_above=SAMPLE_ABOVE, samples=SAMPLES)


def target(fill, problem):
    rows, classes = problem.inputs["x"]
    if len(problem.inputs["target"]) == 2:
        share = fill.rng.random((rows, classes)) + 0.05
        return (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    # Beside the ignored class there is another, so that a mean has something to divide by.
    numbers = fill.rng.integers(0, classes, rows)
    numbers[0] = classes - 1
    return numbers.astype(np.int64)
