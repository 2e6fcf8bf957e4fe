"""The CIFAR family of the paper, 20 to 1202 layers, in evaluation and training mode."""
from network_cases import network


def cases():
    for depth in (20, 32, 44, 56, 110):
        for training in (False, True):
            tags = ("smoke",) if depth == 20 and not training else ("slow",) if depth > 20 else ()
            yield network(f"cifar_resnet{depth}", 32, 3, training, tags)
    # The forward pass alone: 3,600 parameters would make two megabytes of gradients.
    yield network("cifar_resnet1202", 32, 2, False, ("slow",), differentiate=False)
