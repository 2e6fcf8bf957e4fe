"""Every distinct convolution of ResNet-18 … 152, ResNeXt and wide ResNet, at a small spatial size."""
import torch
import torchvision

from golden_case import Case, Fill

PLAIN = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
OTHERS = ["resnext50_32x4d", "resnext101_32x8d", "wide_resnet50_2", "wide_resnet101_2"]
SMOKE = {"c3k64r7stride2", "c64k64r3stride1", "c256k512r1stride2"}


def distinct():
    """(in, out, kernel, stride, padding, groups) of every convolution, in the order of first appearance."""
    found = {}
    for name in PLAIN + OTHERS:
        with torch.device("meta"):
            model = getattr(torchvision.models, name)()
        for layer in model.modules():
            if isinstance(layer, torch.nn.Conv2d):
                key = (layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0], layer.padding[0],
                       layer.groups)
                found.setdefault(key, name)
    return found


def cases():
    for (c, k, r, stride, padding, groups), network in distinct().items():
        label = f"c{c}k{k}r{r}stride{stride}" + (f"groups{groups}" if groups > 1 else "")
        name = f"/conv2d/resnet/{network}/{label}/random"
        fill = Fill(name)
        height, width = (17, 22) if r == 7 else (5, 6) if stride == 2 else (3, 4)
        out = [(size + 2 * padding - r) // stride + 1 for size in (height, width)]
        # One image where the weights are many: the products would take seconds in a plain loop.
        numbers = k * c // groups * r * r
        batch = 1 if numbers > 500_000 else 2
        tags = ("smoke",) if label in SMOKE else ("slow",) if network in OTHERS and numbers > 1_000_000 else ()
        bound = (3 / (c // groups * r * r)) ** 0.5
        attributes = {"stride": stride, "padding": padding, "groups": groups}
        yield Case(name, "conv2d", attributes, "random", tags,
                   inputs={"x": fill.procedural(batch, c, height, width, low=-1.0, high=1.5)},
                   parameters={"weight": fill.procedural(k, c // groups, r, r, low=-bound, high=bound)},
                   upstream={"y": fill.procedural(batch, k, *out, low=1.0, high=2.0)}, sample_above=128, samples=128)
