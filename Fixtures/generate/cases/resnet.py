"""torchvision's residual networks and simple_resnet, in evaluation and training mode."""
from architectures import ARCHITECTURES, architecture
from network_cases import network

# A comparison takes several runs of each, seconds to minutes: all are in the slow run.
TAGS = ("slow",)


def cases():
    for name in ARCHITECTURES:
        size = 64 if architecture(name).stem == "imagenet" else 32
        for training in (False, True):
            yield network(name, size, 2, training, TAGS)
    yield network("resnet18", 224, 2, True, TAGS)
    yield network("resnet50", 224, 1, False, TAGS)
