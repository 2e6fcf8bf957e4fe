"""Blocks and whole networks in PyTorch: torchvision's own where it has them."""
import torch
import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck, conv1x1

from architectures import architecture


class CifarResNet(nn.Module):
    """The paper's network for CIFAR-10, of torchvision's basic blocks and names."""

    def __init__(self, depths, widths, num_classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        channels = widths[0]
        for stage, (depth, width) in enumerate(zip(depths, widths), start=1):
            blocks = []
            for index in range(depth):
                stride = 2 if stage > 1 and index == 0 else 1
                shortcut = None
                if stride != 1 or channels != width:
                    shortcut = nn.Sequential(conv1x1(channels, width, stride), nn.BatchNorm2d(width))
                blocks.append(BasicBlock(channels, width, stride, shortcut))
                channels = width
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(torch.flatten(nn.functional.adaptive_avg_pool2d(x, 1), 1))


def network(name, num_classes):
    """Without values: the parameters come with each call."""
    with torch.device("meta"):
        if name.startswith("cifar_resnet"):
            plan = architecture(name)
            return CifarResNet(plan.depths, plan.widths, num_classes)
        if name == "simple_resnet":
            model = torchvision.models.resnet18(num_classes=num_classes)
            model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
            model.maxpool, model.avgpool = nn.Identity(), nn.AvgPool2d(4)
            return model
        return getattr(torchvision.models, name)(num_classes=num_classes)


def call(module, training, tensors, buffers, *inputs):
    """The module's result with these parameters; `buffers` (NumPy arrays by name) is updated in place."""
    module.train(training)
    names = {name for name, _ in module.named_parameters()}
    state = {name: torch.tensor(value).to(torch.float64 if value.dtype.kind == "f" else torch.int64)
             for name, value in buffers.items()}
    y = torch.func.functional_call(module, {**{n: tensors[n] for n in names}, **state}, inputs, strict=True)
    for name in buffers:
        buffers[name] = state[name].numpy()
    return y


def basic_block(t, a, buffers):
    return {"y": call(_torchvision_block(BasicBlock, t, a), bool(a.get("training")), t, buffers, t["x"])}


def bottleneck(t, a, buffers):
    return {"y": call(_torchvision_block(Bottleneck, t, a), bool(a.get("training")), t, buffers, t["x"])}


def _torchvision_block(kind, t, a):
    channels, stride = t["x"].shape[1], int(a.get("stride", 1))
    groups, base_width = int(a.get("groups", 1)), int(a.get("base_width", 64))
    last = t["bn2.weight" if kind is BasicBlock else "bn3.weight"].shape[0]
    planes = last // kind.expansion
    with torch.device("meta"):
        shortcut = None
        if "downsample.0.weight" in t:
            shortcut = nn.Sequential(conv1x1(channels, last, stride), nn.BatchNorm2d(last))
        return kind(channels, planes, stride, shortcut, groups, base_width, int(a.get("dilation", 1)))


class ResidualBlock(nn.Module):
    """The schema's `residual_block`: parameters are named by position, those of the shortcut with a prefix."""

    def __init__(self, stages, shortcut, channels):
        super().__init__()
        for index, layer in enumerate(_layers(stages, channels)):
            self.add_module(str(index), layer)
        self.count = len(stages)
        self.shortcut = nn.Sequential(*_layers(shortcut, channels))

    def forward(self, x):
        y = x
        for index in range(self.count):
            y = getattr(self, str(index))(y)
        return torch.relu(y + self.shortcut(x))


def _layers(stages, channels):
    layers = []
    for stage in stages:
        kind, *words = stage.split()
        options = dict(word.split("=") for word in words)
        if kind == "conv":
            out = int(options["out"])
            layers.append(nn.Conv2d(channels, out, int(options["k"]), int(options.get("stride", 1)),
                                    int(options.get("pad", 0)), groups=int(options.get("groups", 1)), bias=False))
            channels = out
        elif kind == "bn":
            layers.append(nn.BatchNorm2d(channels))
        elif kind == "relu":
            layers.append(nn.ReLU())
        elif kind == "upsample":
            size = tuple(int(n) for n in options["size"].split("x"))
            layers.append(nn.Upsample(size=size, mode=options.get("mode", "nearest")))
        else:
            raise ValueError(f"unknown stage {stage!r}")
    return layers


def residual_block(t, a, buffers):
    with torch.device("meta"):
        block = ResidualBlock(a["stages"], a.get("shortcut", []), t["x"].shape[1])
    return {"y": call(block, bool(a.get("training")), t, buffers, t["x"])}


def resnet(t, a, buffers):
    model = network(a["architecture"], a.get("num_classes", 1000))
    outputs = {}
    for stage in range(1, 1 + len(architecture(a["architecture"]).depths)):
        def keep(module, inputs, y, name=f"stage{stage}"):
            outputs[name] = y
        getattr(model, f"layer{stage}").register_forward_hook(keep)
    outputs["logits"] = call(model, bool(a.get("training")), t, buffers, t["x"])
    outputs["loss"] = nn.functional.cross_entropy(outputs["logits"], t["target"])
    return outputs
