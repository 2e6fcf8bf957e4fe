"""basic_block, bottleneck and residual_block with all their options."""
import numpy as np
import torch
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, conv1x1

import pytorch_nets
import weights
from assay_golden import Procedural
from golden_case import Case, Fill

# name: x shape, planes, attributes, projection shortcut
BASIC = {
    "identity": ((2, 6, 7, 5), 6, {}, False),
    "projection_channels": ((2, 4, 6, 7), 9, {}, True),
    "projection_stride2": ((2, 5, 8, 6), 7, {"stride": 2}, True),
    "projection_stride2_odd_input": ((3, 4, 7, 9), 6, {"stride": 2}, True),
    "projection_of_equal_shape": ((2, 5, 5, 6), 5, {}, True),
    "one_by_one_image": ((4, 8, 1, 1), 8, {}, False),
    "stride3": ((2, 3, 10, 8), 4, {"stride": 3}, True),
}
BOTTLENECK = {
    "identity": ((2, 16, 5, 6), 4, {}, False),
    "projection_channels": ((2, 6, 6, 5), 3, {}, True),
    "projection_stride2_on_the_3x3": ((2, 8, 8, 7), 4, {"stride": 2}, True),
    "dilation2": ((2, 12, 9, 8), 3, {"dilation": 2}, False),
    "dilation2_stride2": ((2, 6, 9, 10), 4, {"dilation": 2, "stride": 2}, True),
    "groups4_base_width32": ((2, 16, 6, 5), 4, {"groups": 4, "base_width": 32}, False),
    "groups32_base_width4": ((1, 64, 5, 4), 16, {"groups": 32, "base_width": 4}, False),
    "wide_base_width128": ((2, 12, 5, 6), 3, {"base_width": 128}, False),
    "groups2_stride2_projection": ((2, 10, 7, 8), 8, {"groups": 2, "base_width": 32, "stride": 2}, True),
}
TRIPLE = ["conv k=3 out={0} stride=1 pad=1 groups=1", "bn", "relu"] * 2 + ["conv k=3 out={0} stride=1 pad=1 groups=1", "bn"]


def triple(out):
    return [stage.format(out) for stage in TRIPLE]


def one_by_one(out, stride=1):
    return [f"conv k=1 out={out} stride={stride} pad=0 groups=1", "bn"]


# name: x shape, stages, shortcut; the first five are the tutorial's kinds.
RESIDUAL = {
    "kind1_one_by_one": ((2, 5, 6, 7), one_by_one(5), []),
    "kind2_three_3x3": ((2, 4, 6, 5), triple(4), []),
    "kind3_1x1_then_three_3x3": ((2, 5, 6, 7), [*one_by_one(4), "relu", *triple(6)], one_by_one(6)),
    "kind4_1x1_three_3x3_upsample_three_3x3": (
        (2, 3, 7, 7), [*one_by_one(4), "relu", *triple(4), "relu", "upsample size=14x14 mode=nearest", *triple(5)],
        ["upsample size=14x14 mode=nearest", *one_by_one(5)]),
    "kind5_three_3x3_then_closing_1x1": ((2, 4, 5, 6), [*triple(6), "relu", *one_by_one(4)], []),
    "stride_and_groups": (
        (2, 6, 9, 8), ["conv k=3 out=8 stride=2 pad=1 groups=2", "bn", "relu", "conv k=5 out=4 stride=1 pad=2 groups=4", "bn"],
        one_by_one(4, stride=2)),
    "no_batch_norm": ((2, 3, 6, 5), ["conv k=3 out=3 stride=1 pad=1 groups=1", "relu",
                                     "conv k=3 out=3 stride=1 pad=1 groups=1"], []),
    "upsample_uneven_first": (
        (1, 4, 3, 5), ["upsample size=7x8 mode=nearest", "conv k=3 out=4 stride=1 pad=1 groups=1", "bn"],
        ["upsample size=7x8 mode=nearest"]),
    "shortcut_longer_than_the_stages": (
        (2, 4, 6, 7), ["conv k=1 out=5 stride=1 pad=0 groups=1"], [*triple(5)]),
    "no_stages_doubles": ((2, 3, 4, 5), [], []),
}


def cases():
    for training in (False, True):
        mode = "training" if training else "evaluation"
        for operation, table, kind in (("basic_block", BASIC, BasicBlock), ("bottleneck", BOTTLENECK, Bottleneck)):
            for name, (shape, planes, attributes, projection) in table.items():
                module = block(kind, shape[1], planes, attributes, projection)
                yield build(f"/{operation}/{name}/{mode}/random", operation, shape,
                            {"training": training, **attributes}, module,
                            smoke=name.startswith("projection_stride2"))
        for name, (shape, stages, shortcut) in RESIDUAL.items():
            module = residual(shape[1], stages, shortcut)
            attributes = {"training": training, "stages": stages, "shortcut": shortcut}
            yield build(f"/residual_block/{name}/{mode}/random", "residual_block", shape, attributes, module,
                        smoke=name.startswith("kind4"))
    yield from exact()
    yield from refusals()


def block(kind, channels, planes, attributes, projection):
    with torch.device("meta"):
        out, stride = planes * kind.expansion, attributes.get("stride", 1)
        shortcut = nn.Sequential(conv1x1(channels, out, stride), nn.BatchNorm2d(out)) if projection else None
        return kind(channels, planes, stride, shortcut, attributes.get("groups", 1), attributes.get("base_width", 64),
                    attributes.get("dilation", 1))


def residual(channels, stages, shortcut):
    with torch.device("meta"):
        return pytorch_nets.ResidualBlock(stages, shortcut, channels)


def build(name, operation, shape, attributes, module, smoke=False):
    fill = Fill(name)
    parameters, buffers = weights.draw(fill, weights.shapes_of(module))
    small = {key: value.array() if isinstance(value, Procedural) and np.prod(value.shape) <= 64 else value
             for key, value in parameters.items()}
    return Case(name, operation, attributes, "random", ("smoke",) if smoke else (),
                inputs={"x": fill.random(*shape)}, parameters=small, buffers=buffers, sample_above=96, samples=32)


def exact():
    """Evaluation mode on integers, running_var + eps being one: no rounding anywhere, whatever the order.

    torchvision's eps is 1e-5, which a float32 variance cannot complement, so these blocks have no batch norm.
    """
    one_by_one_integers = ["conv k=1 out=5 stride=1 pad=0 groups=1", "relu", "conv k=3 out=4 stride=1 pad=1 groups=1"]
    tables = {
        "identity": ((2, 4, 5, 6), one_by_one_integers, []),
        "projection_stride2": (
            (2, 3, 7, 6), ["conv k=3 out=4 stride=2 pad=1 groups=1", "relu", "conv k=3 out=6 stride=1 pad=1 groups=2"],
            ["conv k=1 out=6 stride=2 pad=0 groups=1"]),
        "upsample": (
            (1, 3, 3, 4), ["conv k=3 out=4 stride=1 pad=1 groups=1", "upsample size=6x8 mode=nearest", "relu"],
            ["upsample size=6x8 mode=nearest", "conv k=1 out=4 stride=1 pad=0 groups=1"]),
    }
    for name, (shape, stages, shortcut) in tables.items():
        full = f"/residual_block/{name}/exact"
        fill = Fill(full)
        shapes = weights.shapes_of(residual(shape[1], stages, shortcut))
        yield Case(full, "residual_block", {"stages": stages, "shortcut": shortcut}, "exact", ("smoke",),
                   inputs={"x": fill.integers(*shape, limit=4)},
                   parameters={key: fill.integers(*extent, limit=3) for key, extent in shapes.items()})


def refusals():
    def case(name, operation, category, attributes, module, shape, accepted=False, **replacements):
        built = build(f"/{operation}/refuse/{name}", operation, shape, attributes, module)
        built.expect_error, built.fill, built.accepted_by_pytorch = category, "adversarial", accepted
        for key, value in replacements.items():
            built.parameters[key.replace("_dot_", ".")] = value
        return built

    def ones(*shape):
        return np.ones(shape, dtype=np.float32)

    plain = {"training": True}
    yield case("stride2_without_projection", "basic_block", "shape_mismatch", {**plain, "stride": 2},
               block(BasicBlock, 6, 6, {}, False), (2, 6, 7, 5))
    yield case("channels_differ_without_projection", "basic_block", "shape_mismatch", plain,
               block(BasicBlock, 5, 5, {}, False), (2, 6, 7, 5))
    yield case("groups_are_for_bottlenecks", "basic_block", "invalid_argument", {**plain, "groups": 2},
               block(BasicBlock, 6, 6, {}, False), (2, 6, 7, 5))
    yield case("dilation_is_for_bottlenecks", "basic_block", "invalid_argument", {**plain, "dilation": 2},
               block(BasicBlock, 6, 6, {}, False), (2, 6, 7, 5))
    yield case("stride_zero", "bottleneck", "invalid_argument", {**plain, "stride": 0},
               block(Bottleneck, 16, 4, {}, False), (2, 16, 5, 6))
    yield case("second_convolution_of_other_channels", "bottleneck", "shape_mismatch", plain,
               block(Bottleneck, 16, 4, {}, False), (2, 16, 5, 6), conv2_dot_weight=ones(4, 5, 3, 3))
    yield case("sums_of_different_size", "residual_block", "shape_mismatch",
               {"stages": ["upsample size=8x8 mode=nearest"], "shortcut": []},
               residual(3, ["upsample size=8x8 mode=nearest"], []), (1, 3, 4, 4))
    yield case("unknown_stage", "residual_block", "invalid_argument", {"stages": ["swish"], "shortcut": []},
               residual(3, [], []), (1, 3, 4, 4))
