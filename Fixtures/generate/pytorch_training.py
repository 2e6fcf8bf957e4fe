"""Optimiser steps and training runs with PyTorch's own optimisers."""
import numpy as np
import torch

import pytorch_nets
from golden_case import SEED

FLOAT32_RUNS = 16


def make(kind, parameters, a):
    """torch.optim's `sgd`, `adam` or `adamw` with the schema's attributes."""
    if kind == "sgd":
        return torch.optim.SGD(parameters, lr=a["lr"], momentum=a.get("momentum", 0.0), foreach=False,
                               dampening=a.get("dampening", 0.0), nesterov=bool(a.get("nesterov", False)),
                               weight_decay=a.get("weight_decay", 0.0))
    constructor = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[kind]
    return constructor(parameters, lr=a.get("lr", 1e-3), betas=tuple(a.get("betas", (0.9, 0.999))), foreach=False,
                       eps=a.get("eps", 1e-8), amsgrad=bool(a.get("amsgrad", False)),
                       weight_decay=a.get("weight_decay", 0.01 if kind == "adamw" else 0.0))


def step(kind, t, a, buffers):
    p = t["p"].clone().requires_grad_(True)
    optimizer = make(kind, [p], a)
    if "first_step" in a:
        optimizer.state[p] = {"step": torch.tensor(float(a["first_step"] - 1)),
                              **{key: torch.tensor(value, dtype=torch.float64) for key, value in buffers.items()}}
    # State before is an input here; there is no expected state under the same names.
    buffers.clear()
    trajectory = []
    for gradient in t["gradients"]:
        p.grad = gradient.clone()
        optimizer.step()
        trajectory.append(p.detach().clone())
    outputs = {"trajectory": torch.stack(trajectory)}
    state = optimizer.state[p]
    keys = ("momentum_buffer",) if kind == "sgd" else ("exp_avg", "exp_avg_sq")
    return outputs | {key: state[key] for key in keys if state.get(key) is not None}


def float32_losses(case):
    """Losses in float32, shape (runs, steps): one run as it is, the others from parameters that are moved to a neighbouring
    float32 at random. A gate that one rounding flips is amplified by every later step, and whether one does is chance: a
    single run says little of how far float32 may come from float64."""
    stream = np.random.default_rng(SEED)
    runs = [training_run(case, torch.float32)["loss"]]
    for _ in range(FLOAT32_RUNS - 1):
        runs.append(training_run(case, torch.float32, lambda p: np.nextafter(
            p, stream.choice(np.array([-np.inf, np.inf], np.float32), p.shape)))["loss"])
    return np.stack(runs)


def training_run(case, dtype, change=None):
    """Loss of each step, and the first batch's logits afterwards, in the given precision; `change` is applied to the
    parameters at the start, as float32."""
    a = case.attributes
    model = pytorch_nets.network(a["architecture"], a["num_classes"]).to_empty(device="cpu").to(dtype)
    state = {key: torch.tensor(np.asarray(value.array() if hasattr(value, "array") else value))
             for key, value in {**case.parameters, **case.buffers}.items()}
    for key in case.parameters if change else ():
        state[key] = torch.tensor(change(state[key].numpy().astype(np.float32)))
    model.load_state_dict(state, strict=True)
    optimizer = make(a["optimizer"], model.parameters(), a)
    images = torch.tensor(case.inputs["images"]).to(dtype)
    labels, batches = torch.tensor(case.inputs["labels"]), torch.tensor(case.inputs["batches"])
    losses = []
    model.train()
    for rows in batches:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    model.eval()
    with torch.no_grad():
        logits = model(images[batches[0]])
    return {"loss": np.array(losses), "logits": logits.to(torch.float64).numpy()}
