"""torchvision's residual networks and simple_resnet, in evaluation and training mode."""
from architectures import ARCHITECTURES, architecture
from network_cases import network

# The others take seconds each, and a comparison takes dozens of runs of each.
QUICK = {"resnet18", "simple_resnet"}


def cases():
    for name in ARCHITECTURES:
        size = 64 if architecture(name).stem == "imagenet" else 32
        for training in (False, True):
            yield network(name, size, 2, training, () if name in QUICK else ("slow",))
    yield network("resnet18", 224, 2, True, ("slow",))
    yield network("resnet50", 224, 1, False, ("slow",))
