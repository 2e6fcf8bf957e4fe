"""sgd_step, adam_step and adamw_step: ten steps with each option, from the start and from step 1000."""
import numpy as np

from golden_case import Case, Fill

STEPS, SHAPE = 10, (4, 5)
SGD = {
    "plain": {"lr": 0.1},
    "momentum": {"lr": 0.05, "momentum": 0.9},
    "nesterov": {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    "dampening_first_step_copies": {"lr": 0.05, "momentum": 0.9, "dampening": 0.5},
    "dampening_one_freezes_the_buffer": {"lr": 0.05, "momentum": 0.8, "dampening": 1.0},
    "weight_decay": {"lr": 0.1, "weight_decay": 0.01},
    "weight_decay_with_momentum": {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4},
    "everything": {"lr": 0.02, "momentum": 0.95, "nesterov": True, "weight_decay": 0.1},
}
ADAM = {
    "plain": {"lr": 1e-3},
    "lr_large": {"lr": 0.3},
    "betas": {"lr": 0.01, "betas": [0.5, 0.9]},
    "betas_zero": {"lr": 0.01, "betas": [0.0, 0.0]},
    "eps_large_is_outside_the_root": {"lr": 0.01, "eps": 0.1},
    "weight_decay": {"lr": 0.01, "weight_decay": 0.1},
    "no_weight_decay": {"lr": 0.01, "weight_decay": 0.0},
    "amsgrad": {"lr": 0.01, "amsgrad": True},
    "everything": {"lr": 0.02, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.05, "amsgrad": True},
}


def cases():
    for name, attributes in SGD.items():
        yield start(f"/sgd_step/{name}/random", "sgd_step", attributes, smoke=name == "everything")
    for operation in ("adam_step", "adamw_step"):
        for name, attributes in ADAM.items():
            yield start(f"/{operation}/{name}/random", operation, attributes, smoke=name == "everything")
            if name not in ("lr_large", "no_weight_decay"):
                yield late(f"/{operation}/{name}/from_step_1000/random", operation, attributes)
    yield from adversarial()


def start(name, operation, attributes, smoke=False, fill_name="random", change=lambda p, g: (p, g)):
    fill = Fill(name)
    p, gradients = change(fill.random(*SHAPE), fill.random(STEPS, *SHAPE, scale=0.5))
    return Case(name, operation, attributes, fill_name, ("smoke",) if smoke else (),
                inputs={"gradients": gradients.astype(np.float32)}, parameters={"p": p.astype(np.float32)},
                differentiate=False)


def late(name, operation, attributes):
    """The moments as they may stand after 999 steps."""
    case = start(name, operation, {**attributes, "first_step": 1000})
    fill = Fill(name + " buffers")
    case.buffers = {"exp_avg": fill.random(*SHAPE, scale=0.1), "exp_avg_sq": fill.uniform(*SHAPE, low=0.01, high=0.5)}
    if attributes.get("amsgrad"):
        case.buffers["max_exp_avg_sq"] = case.buffers["exp_avg_sq"] + fill.uniform(*SHAPE, low=0.0, high=0.25)
    return case


def adversarial():
    def zero(p, g):
        return p, g * 0

    def zero_at_times(p, g):
        return p, g * (np.arange(STEPS).reshape(-1, 1, 1) % 3 == 0)

    changes = {
        "zero_gradient": zero, "gradient_zero_at_times": zero_at_times,
        "tiny_gradient_against_eps": lambda p, g: (p, g * 1e-8),
        "gradient_1e-20": lambda p, g: (p, g * 1e-20),
        "large_gradient": lambda p, g: (p, g * 1e6),
        "constant_gradient": lambda p, g: (p, g * 0 + 0.1),
        "parameter_far_larger_than_the_step": lambda p, g: (p * 1e6, g),
        "nan_in_one_gradient_stays_in_its_element": lambda p, g: (p, nan_at(g)),
    }
    options = {"sgd_step": {"lr": 0.1, "momentum": 0.9}, "adam_step": {"lr": 0.01, "weight_decay": 0.1},
               "adamw_step": {"lr": 0.01}}
    for operation, attributes in options.items():
        for name, change in changes.items():
            # Adam's own decay would make the gradient of a zero-gradient case other than zero: leave it out there.
            own = {"lr": 0.01} if name == "zero_gradient" and operation == "adam_step" else attributes
            yield start(f"/{operation}/adversarial/{name}", operation, own, fill_name="adversarial", change=change)


def nan_at(gradients):
    changed = gradients.copy()
    changed[4, 1, 2] = np.nan
    return changed
