"""Training runs on the digits: twenty mini-batches, the loss of each."""
from network_cases import training_run


def cases():
    yield training_run("simple_resnet/digits/sgd", "simple_resnet",
                       {"optimizer": "sgd", "lr": 0.002, "momentum": 0.9, "weight_decay": 5e-4}, 4, 20, ("slow",))
    yield training_run("cifar_resnet20/digits/adam", "cifar_resnet20", {"optimizer": "adam", "lr": 1e-3}, 8, 20, ("slow",))
