"""The residual networks by name: which blocks, how many, how wide."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    block: str
    depths: tuple
    widths: tuple
    stem: str
    groups: int = 1
    base_width: int = 64
    num_classes: int = 1000

    @property
    def expansion(self):
        return 4 if self.block == "bottleneck" else 1


def _imagenet(block, depths, **others):
    return Architecture(block, depths, (64, 128, 256, 512), "imagenet", **others)


ARCHITECTURES = {
    "resnet18": _imagenet("basic", (2, 2, 2, 2)),
    "resnet34": _imagenet("basic", (3, 4, 6, 3)),
    "resnet50": _imagenet("bottleneck", (3, 4, 6, 3)),
    "resnet101": _imagenet("bottleneck", (3, 4, 23, 3)),
    "resnet152": _imagenet("bottleneck", (3, 8, 36, 3)),
    "resnext50_32x4d": _imagenet("bottleneck", (3, 4, 6, 3), groups=32, base_width=4),
    "resnext101_32x8d": _imagenet("bottleneck", (3, 4, 23, 3), groups=32, base_width=8),
    "wide_resnet50_2": _imagenet("bottleneck", (3, 4, 6, 3), base_width=128),
    "wide_resnet101_2": _imagenet("bottleneck", (3, 4, 23, 3), base_width=128),
    "simple_resnet": Architecture("basic", (2, 2, 2, 2), (64, 128, 256, 512), "small", num_classes=10),
}


def architecture(name):
    if name.startswith("cifar_resnet"):
        n = (int(name.removeprefix("cifar_resnet")) - 2) // 6
        return Architecture("basic", (n, n, n), (16, 32, 64), "small", num_classes=10)
    return ARCHITECTURES[name]
