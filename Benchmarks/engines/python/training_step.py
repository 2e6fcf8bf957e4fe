"""What a training step of a ResNet takes in PyTorch: what `assay tune --network NAME --training` is held beside.

    python3 Benchmarks/engines/python/training_step.py resnet18 --batch 8

Forward, cross-entropy, backward and Adam on random images, float32, in eager mode (NCHW and channels last) and compiled; each
way takes its steps by turns, so that all meet the same machine. Needs torch and torchvision.
"""

import argparse
import statistics
import time

import torch
import torchvision


def step_of(name, batch, side, way):
    """A function that does one step, for one way of running the network."""
    torch.manual_seed(0)
    model = getattr(torchvision.models, name)()
    images = torch.rand(batch, 3, side, side)
    labels = torch.arange(batch) % 1000
    if way == "channels last":
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    network = torch.compile(model) if way == "compiled" else model

    def step():
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()

    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", help="a network of torchvision, such as resnet18")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=224, help="height and width of the images")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5, help="timed steps, after two that are not")
    parser.add_argument("--ways", default="eager,channels last,compiled", help="which of these, with commas")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    ways = arguments.ways.split(",")
    steps = {way: step_of(arguments.network, arguments.batch, arguments.side, way) for way in ways}
    times = {way: [] for way in ways}
    for number in range(arguments.steps + 2):
        for way, step in steps.items():
            start = time.perf_counter()
            step()
            if number >= 2:
                times[way].append(time.perf_counter() - start)
    print(f"PyTorch {torch.__version__}, {arguments.network}, batch {arguments.batch}, threads {arguments.threads}")
    for way, found in times.items():
        median = statistics.median(found)
        print(f"{way}: median {median * 1000:.1f} ms, {arguments.batch / median:.1f} images/s")


if __name__ == "__main__":
    main()
