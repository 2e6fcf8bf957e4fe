"""batch_norm2d: statistics, buffers, momentum, ill-conditioned channels and refusals."""
import numpy as np

from golden_case import Case, Fill

NAN = float("nan")
# name: shape, attributes, affine, tracked
TRAINING = {
    "plain": ((4, 3, 5, 6), {}, True, True),
    "two_values_per_channel": ((2, 5, 1, 1), {}, True, True),
    "batch1": ((1, 4, 6, 5), {}, True, True),
    "one_channel": ((3, 1, 4, 7), {}, True, True),
    "channels17": ((2, 17, 3, 2), {}, True, True),
    "channels33_one_column": ((2, 33, 5, 1), {}, True, True),
    "tall": ((2, 2, 41, 1), {}, True, True),
    "momentum_zero_keeps_the_buffers": ((2, 3, 4, 5), {"momentum": 0.0}, True, True),
    "momentum_one_replaces_the_buffers": ((2, 3, 4, 5), {"momentum": 1.0}, True, True),
    "momentum_small": ((2, 3, 4, 5), {"momentum": 0.01}, True, True),
    "cumulative_average_from_nothing": ((2, 3, 4, 5), {"momentum": NAN}, True, True),
    "cumulative_average_eighth_batch": ((3, 2, 5, 4), {"momentum": NAN}, True, True),
    "eps_large": ((2, 3, 4, 5), {"eps": 0.5}, True, True),
    "eps_tiny": ((2, 3, 4, 5), {"eps": 1e-12}, True, True),
    "no_affine": ((3, 4, 4, 3), {}, False, True),
    "no_running_statistics": ((3, 4, 3, 4), {}, True, False),
    "neither_affine_nor_statistics": ((2, 6, 5, 3), {}, False, False),
}
EVALUATION = {
    "plain": ((4, 3, 5, 6), {}, True, True),
    "single_value": ((1, 5, 1, 1), {}, True, True),
    "batch_zero": ((0, 4, 3, 5), {}, True, True),
    "channels16": ((2, 16, 3, 4), {}, True, True),
    "channels31": ((1, 31, 2, 5), {}, True, True),
    "no_affine": ((2, 4, 5, 3), {}, False, True),
    "eps_large": ((2, 3, 5, 4), {"eps": 2.0}, True, True),
    "momentum_is_of_no_effect": ((2, 3, 4, 5), {"momentum": 0.9}, True, True),
    "without_statistics_uses_the_batch": ((3, 4, 5, 4), {}, True, False),
}
SMOKE = {"training/plain", "training/cumulative_average_eighth_batch", "training/no_affine", "evaluation/plain",
         "evaluation/batch_zero"}


def cases():
    for mode, table in (("training", TRAINING), ("evaluation", EVALUATION)):
        for name, (shape, attributes, affine, tracked) in table.items():
            full = f"/batch_norm2d/{mode}/{name}/random"
            fill = Fill(full)
            x = fill.random(*shape, mean=0.3)
            batches = 7 if "eighth" in name else 0 if "nothing" in name else 11
            yield build(full, fill, x, {"training": mode == "training", **attributes}, affine, tracked, "random",
                        ("smoke",) if f"{mode}/{name}" in SMOKE else (), batches)
    yield from channel_scales()
    yield from resnet_sizes()
    yield from exact()
    yield from adversarial()
    yield from refusals()


def build(name, fill, x, attributes, affine=True, tracked=True, fill_name="adversarial", tags=(), batches=11):
    channels = x.shape[1]
    parameters = {"weight": fill.random(channels, mean=1, scale=0.3), "bias": fill.random(channels)} if affine else {}
    buffers = {}
    if tracked:
        buffers = {"running_mean": fill.random(channels, scale=0.4),
                   "running_var": fill.uniform(channels, low=0.5, high=1.5),
                   "num_batches_tracked": np.array(batches, dtype=np.int64)}
    return Case(name, "batch_norm2d", attributes, fill_name, tags, inputs={"x": x.astype(np.float32)},
                parameters=parameters, buffers=buffers)


def channel_scales():
    """Channels whose deviations differ by orders of magnitude: a statistic taken over all channels shows."""
    fill = Fill("/batch_norm2d/training/channel_scales")
    scale = np.array([1e-3, 1, 1e3, 30]).reshape(1, 4, 1, 1)
    yield build("/batch_norm2d/training/channel_scales/random", fill, fill.random(3, 4, 4, 5) * scale,
                {"training": True}, fill_name="random")
    fill = Fill("/batch_norm2d/training/statistics_differ_between_images")
    shift = np.array([-3, 0, 5]).reshape(3, 1, 1, 1)
    yield build("/batch_norm2d/training/statistics_differ_between_images/random", fill,
                fill.random(3, 2, 4, 5) + shift, {"training": True}, fill_name="random", tags=("smoke",))


def resnet_sizes():
    """Long sums, as after the stem and in the last stage of a ResNet."""
    for name, shape, training in (("after_stem", (2, 64, 28, 30), True), ("stage2", (2, 128, 14, 13), True),
                                  ("stage4", (4, 512, 4, 3), True), ("stage4_evaluation", (2, 512, 7, 7), False)):
        full = f"/batch_norm2d/resnet/{name}/random"
        fill = Fill(full)
        channels = shape[1]
        yield Case(full, "batch_norm2d", {"training": training}, "random", (),
                   inputs={"x": fill.procedural(*shape, low=-1.5, high=2.0)},
                   parameters={"weight": fill.procedural(channels, low=0.5, high=1.5),
                               "bias": fill.procedural(channels, low=-0.5, high=0.5)},
                   buffers={"running_mean": fill.procedural(channels, low=-0.5, high=0.5),
                            "running_var": fill.procedural(channels, low=0.5, high=1.5),
                            "num_batches_tracked": np.array(3, dtype=np.int64)}, sample_above=256)


def exact():
    """Evaluation with running_var + eps a power of four: every step is then exact in any arrangement."""
    for name, variance, eps, shape in (("unit_deviation", 0.75, 0.25, (2, 3, 4, 5)),
                                       ("deviation_two", 3.5, 0.5, (1, 5, 3, 2)),
                                       ("deviation_half", 0.125, 0.125, (3, 2, 2, 7)),
                                       ("eps_zero", 16.0, 0.0, (2, 17, 1, 3))):
        full = f"/batch_norm2d/evaluation/{name}/exact"
        fill = Fill(full)
        channels = shape[1]
        yield Case(full, "batch_norm2d", {"eps": eps}, "exact", ("smoke",) if name == "deviation_two" else (),
                   inputs={"x": fill.integers(*shape, limit=32, unit=0.25)},
                   parameters={"weight": fill.integers(channels, limit=8, unit=0.5),
                               "bias": fill.integers(channels, limit=8, unit=0.25)},
                   buffers={"running_mean": fill.integers(channels, limit=8, unit=0.25),
                            "running_var": np.full(channels, variance, dtype=np.float32),
                            "num_batches_tracked": np.array(5, dtype=np.int64)})


def adversarial():
    def case(name, change, training=True, shape=(3, 3, 4, 5), attributes=None, tags=()):
        full = f"/batch_norm2d/adversarial/{name}"
        fill = Fill(full)
        x = change(fill.random(*shape).astype(np.float64))
        return build(full, fill, x, {"training": training, **(attributes or {})}, tags=tags)

    def put(x, index, value):
        x[index] = value
        return x

    yield case("mean_1e4_plus_noise", lambda x: 1e4 + x, tags=("smoke",))
    yield case("mean_1e4_plus_small_noise", lambda x: 1e4 + 0.05 * x)
    yield case("mean_minus_1e6_in_one_channel", lambda x: x + np.array([0, -1e6, 0]).reshape(1, 3, 1, 1))
    yield case("constant_channel", lambda x: put(x, (slice(None), 1), 3.0), tags=("smoke",))
    yield case("constant_channel_not_dyadic", lambda x: put(x, (slice(None), 1), 0.1))
    yield case("all_zero", lambda x: x * 0)
    yield case("all_negative_zero", lambda x: x * 0 - 0.0)
    yield case("one_outlier", lambda x: put(x, (1, 1, 2, 2), 1e5))
    yield case("two_values_only", lambda x: np.sign(x))
    yield case("deviation_below_the_root_of_eps", lambda x: x * 1e-4)
    yield case("deviation_far_below_eps", lambda x: x * 1e-12)
    yield case("denormals", lambda x: x * 1e-40)
    yield case("huge", lambda x: x * 1e15)
    yield case("nan_stays_in_its_channel", lambda x: put(x, (0, 1, 0, 0), np.nan), tags=("smoke",))
    yield case("infinity_makes_its_channel_nan", lambda x: put(x, (2, 0, 1, 1), np.inf))
    yield case("evaluation_nan_stays_in_its_element", lambda x: put(x, (0, 1, 0, 0), np.nan), training=False)
    yield case("evaluation_infinity", lambda x: put(x, (0, 1, 0, 0), -np.inf), training=False)
    yield case("evaluation_huge", lambda x: x * 1e30, training=False)
    yield case("evaluation_mean_far_from_the_running_mean", lambda x: x + 1e4, training=False)
    for name, variance in (("zero", 0.0), ("tiny", 1e-20), ("huge", 1e20)):
        built = case(f"evaluation_running_variance_{name}", lambda x: x, training=False)
        built.buffers["running_var"] = np.full(3, variance, dtype=np.float32)
        yield built
    built = case("evaluation_negative_weight", lambda x: x, training=False)
    built.parameters["weight"] = np.array([-1.5, 0.0, -0.0], dtype=np.float32)
    yield built
    built = case("zero_weight_hides_the_input", lambda x: x)
    built.parameters["weight"] = np.array([0.0, 1.0, -1.0], dtype=np.float32)
    yield built


def refusals():
    def case(name, category, shape=(2, 3, 4, 5), training=True, attributes=None, tags=(), accepted=False,
             **replacements):
        full = f"/batch_norm2d/refuse/{name}"
        fill = Fill(full)
        built = build(full, fill, fill.random(*shape), {"training": training, **(attributes or {})})
        built.expect_error, built.tags, built.accepted_by_pytorch = category, tags, accepted
        for key, value in replacements.items():
            group = built.inputs if key == "x" else built.parameters if key in built.parameters else built.buffers
            group[key] = value
        return built

    def ones(*shape):
        return np.ones(shape, dtype=np.float32)

    yield case("training_with_one_value_per_channel", "shape_mismatch", (1, 3, 1, 1), tags=("smoke",))
    yield case("training_with_one_value_and_no_statistics", "shape_mismatch", (1, 3, 1, 1))
    yield case("weight_too_long", "shape_mismatch", weight=ones(4))
    yield case("bias_too_short", "shape_mismatch", bias=ones(2), tags=("smoke",))
    yield case("running_mean_too_long", "shape_mismatch", training=False, running_mean=ones(4))
    yield case("running_var_too_short", "shape_mismatch", running_var=ones(1))
    yield case("weight_of_rank_two", "shape_mismatch", weight=ones(3, 1), accepted=True)
    yield case("x_of_rank_three", "shape_mismatch", x=ones(2, 3, 4))
    yield case("x_of_rank_two", "shape_mismatch", x=ones(2, 3))
    yield case("integer_x", "unsupported_dtype", training=False,
               x=np.arange(2 * 3 * 4 * 5, dtype=np.int64).reshape(2, 3, 4, 5))
