"""group_norm: groupings, ranks, absent affine parts, ill-conditioned groups and refusals.

No fill is exact: the statistics of a group may be gathered in one pass that divides by 3.
"""
import numpy as np

from golden_case import Case, Fill

BOTH, WEIGHT, BIAS, NONE = ("weight", "bias"), ("weight",), ("bias",), ()
# name: shape, num_groups, attributes, affine parts
SHAPES = {
    "plain": ((2, 6, 4, 5), 3, {}, BOTH),
    "one_group": ((3, 4, 3, 5), 1, {}, BOTH),
    "a_group_for_each_channel": ((2, 5, 4, 3), 5, {}, BOTH),
    "thirty_two_groups": ((1, 64, 3, 2), 32, {}, BOTH),
    "groups_of_17_channels": ((2, 34, 2, 3), 2, {}, BOTH),
    "batch_one": ((1, 8, 5, 3), 4, {}, BOTH),
    "batch_zero": ((0, 6, 4, 5), 2, {}, BOTH),
    "batch_five": ((5, 4, 2, 3), 2, {}, BOTH),
    "one_channel": ((3, 1, 4, 7), 1, {}, BOTH),
    "rank_two": ((4, 12), 3, {}, BOTH),
    "rank_three": ((2, 6, 11), 2, {}, BOTH),
    "rank_five": ((2, 4, 3, 2, 5), 2, {}, BOTH),
    "one_by_one": ((3, 9, 1, 1), 3, {}, BOTH),
    "one_row": ((2, 4, 1, 33), 2, {}, BOTH),
    "one_column": ((2, 4, 31, 1), 2, {}, BOTH),
    "two_values_in_a_group": ((3, 4, 1, 1), 2, {}, BOTH),
    "no_affine": ((3, 4, 4, 3), 2, {}, NONE),
    "weight_alone": ((2, 6, 3, 4), 2, {}, WEIGHT),
    "bias_alone": ((2, 6, 3, 4), 3, {}, BIAS),
    "eps_large": ((2, 4, 3, 5), 2, {"eps": 2.0}, BOTH),
    "eps_tiny": ((2, 4, 3, 5), 2, {"eps": 1e-12}, BOTH),
    "eps_zero": ((2, 4, 3, 5), 2, {"eps": 0.0}, BOTH),
}
SMOKE = {"plain", "a_group_for_each_channel", "batch_zero", "rank_three", "bias_alone"}


def cases():
    for name, (shape, groups, attributes, affine) in SHAPES.items():
        full = f"/group_norm/{name}/random"
        fill = Fill(full)
        yield build(full, fill, fill.random(*shape, mean=0.3), groups, attributes, affine, "random",
                    ("smoke",) if name in SMOKE else ())
    yield from statistics_that_differ()
    yield from network_sizes()
    yield from adversarial()
    yield from refusals()


def build(name, fill, x, groups, attributes=None, affine=BOTH, fill_name="adversarial", tags=()):
    channels = x.shape[1]
    drawn = {"weight": fill.random(channels, mean=1, scale=0.3), "bias": fill.random(channels)}
    return Case(name, "group_norm", {"num_groups": groups, **(attributes or {})}, fill_name, tags,
                inputs={"x": x.astype(np.float32)}, parameters={key: drawn[key] for key in affine})


def statistics_that_differ():
    """Images, groups and channels far apart: statistics taken over too much or too little show."""
    for name, shift in (("images", np.array([-3, 0, 5]).reshape(3, 1, 1, 1)),
                        ("groups", np.array([-4, -4, 6, 6]).reshape(1, 4, 1, 1)),
                        ("channels_of_a_group", np.array([-2, 3, 1, -5]).reshape(1, 4, 1, 1))):
        full = f"/group_norm/shifted/{name}/random"
        fill = Fill(full)
        yield build(full, fill, fill.random(3, 4, 3, 5) + shift, 2, fill_name="random",
                    tags=("smoke",) if name == "groups" else ())
    full = "/group_norm/shifted/group_scales/random"
    fill = Fill(full)
    scale = np.array([1e-3, 1e-3, 1e3, 1e3, 30, 30]).reshape(1, 6, 1, 1)
    yield build(full, fill, fill.random(2, 6, 4, 3) * scale, 3, fill_name="random")


def network_sizes():
    """Long sums, as in a ResNet whose batch norms became group norms."""
    for name, shape, groups in (("after_stem", (1, 32, 28, 20), 16), ("stage4", (1, 512, 7, 5), 32),
                                ("instance", (1, 8, 33, 31), 8)):
        full = f"/group_norm/resnet/{name}/random"
        fill = Fill(full)
        channels = shape[1]
        yield Case(full, "group_norm", {"num_groups": groups}, "random", (),
                   inputs={"x": fill.procedural(*shape, low=-1.5, high=2.0)},
                   parameters={"weight": fill.procedural(channels, low=0.5, high=1.5),
                               "bias": fill.procedural(channels, low=-0.5, high=0.5)}, sample_above=256)


def adversarial():
    def case(name, change, shape=(3, 4, 3, 5), groups=2, attributes=None, affine=BOTH, tags=()):
        full = f"/group_norm/adversarial/{name}"
        fill = Fill(full)
        x = change(fill.random(*shape).astype(np.float64))
        return build(full, fill, x, groups, attributes, affine, tags=tags)

    def put(x, index, value):
        x[index] = value
        return x

    second = (slice(None), slice(2, 4))
    yield case("mean_1e4_plus_noise", lambda x: 1e4 + x, tags=("smoke",))
    yield case("mean_1e4_plus_small_noise", lambda x: 1e4 + 0.05 * x)
    yield case("mean_minus_1e6_in_one_group", lambda x: x + np.array([0, 0, -1e6, -1e6]).reshape(1, 4, 1, 1))
    yield case("constant_group", lambda x: put(x, second, 3.0), tags=("smoke",))
    yield case("constant_group_not_dyadic", lambda x: put(x, second, 0.1))
    yield case("constant_channels_of_one_group",
               lambda x: x * 0 + np.array([2.0, -3.0, 0.5, 7.0]).reshape(1, 4, 1, 1))
    yield case("one_value_in_a_group_gives_the_bias", lambda x: x, (3, 4, 1, 1), 4)
    yield case("one_value_in_all_gives_the_bias", lambda x: x, (1, 4, 1, 1), 4)
    yield case("constant_group_without_eps_is_nan", lambda x: put(x, second, 3.0), attributes={"eps": 0.0})
    yield case("all_zero", lambda x: x * 0)
    yield case("all_negative_zero", lambda x: x * 0 - 0.0, affine=NONE)
    yield case("one_outlier", lambda x: put(x, (1, 1, 2, 2), 1e5))
    yield case("two_values_only", lambda x: np.sign(x))
    yield case("deviation_below_the_root_of_eps", lambda x: x * 1e-4)
    yield case("deviation_far_below_eps", lambda x: x * 1e-12)
    yield case("denormals", lambda x: x * 1e-40)
    yield case("huge", lambda x: x * 1e15)
    yield case("eps_above_the_variance", lambda x: x, attributes={"eps": 1e6})
    yield case("nan_stays_in_its_group", lambda x: put(x, (0, 1, 0, 0), np.nan), tags=("smoke",))
    yield case("infinity_makes_its_group_nan", lambda x: put(x, (2, 2, 1, 1), np.inf))
    yield case("opposite_infinities", lambda x: put(put(x, (0, 0, 0, 0), np.inf), (0, 1, 2, 2), -np.inf))
    built = case("nan_in_weight_and_infinity_in_bias", lambda x: x)
    built.parameters["weight"] = put(built.parameters["weight"], 1, np.nan)
    built.parameters["bias"] = put(built.parameters["bias"], 2, -np.inf)
    yield built
    built = case("zero_and_negative_weights", lambda x: x)
    built.parameters["weight"] = np.array([0.0, -1.5, -0.0, 1.0], dtype=np.float32)
    yield built


def refusals():
    def case(name, category, shape=(2, 6, 4, 5), groups=3, attributes=None, tags=(), accepted=False, **replacements):
        full = f"/group_norm/refuse/{name}"
        fill = Fill(full)
        built = build(full, fill, fill.random(*shape) if len(shape) > 1 else np.ones((1, shape[0])), groups, attributes)
        if len(shape) == 1:
            built.inputs["x"] = fill.random(*shape)
        built.expect_error, built.tags, built.accepted_by_pytorch = category, tags, accepted
        for key, value in replacements.items():
            (built.inputs if key == "x" else built.parameters)[key] = value
        return built

    def ones(*shape):
        return np.ones(shape, dtype=np.float32)

    argument, mismatch = "invalid_argument", "shape_mismatch"
    yield case("groups_do_not_divide_the_channels", argument, groups=4, tags=("smoke",))
    yield case("more_groups_than_channels", argument, groups=12)
    yield case("groups_zero", argument, groups=0)
    yield case("groups_negative", argument, groups=-3)
    yield case("weight_too_long", mismatch, weight=ones(7))
    yield case("weight_of_the_groups", mismatch, weight=ones(3))
    yield case("bias_too_short", mismatch, bias=ones(5), tags=("smoke",))
    yield case("weight_of_rank_two", mismatch, weight=ones(6, 1))
    yield case("x_of_rank_one", mismatch, shape=(6,))
    yield case("integer_x", "unsupported_dtype", x=np.arange(2 * 6 * 4 * 5, dtype=np.int64).reshape(2, 6, 4, 5))
