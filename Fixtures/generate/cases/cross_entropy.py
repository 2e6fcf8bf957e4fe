"""cross_entropy: reductions, class weights, ignored rows, smoothing, probability targets and refusals."""
import numpy as np

from golden_case import Case, Fill

# name: rows, classes, attributes, targets ("indices", "ignored", "all_ignored", "probabilities"), class weights
RANDOM = {
    "plain": (5, 10, {}, "indices", False),
    "one_row": (1, 7, {}, "indices", False),
    "one_class": (4, 1, {}, "indices", False),
    "two_classes": (6, 2, {}, "indices", False),
    "a_thousand_classes": (2, 1000, {}, "indices", False),
    "classes17_rows33": (33, 17, {}, "indices", False),
    "sum": (5, 8, {"reduction": "sum"}, "indices", False),
    "none": (5, 8, {"reduction": "none"}, "indices", False),
    "weights_mean_divides_by_their_sum": (6, 5, {}, "indices", True),
    "weights_sum": (6, 5, {"reduction": "sum"}, "indices", True),
    "weights_none": (4, 6, {"reduction": "none"}, "indices", True),
    "ignore_mean": (7, 5, {}, "ignored", False),
    "ignore_none_gives_zeros": (7, 5, {"reduction": "none"}, "ignored", False),
    "ignore_index_is_a_class": (8, 4, {"ignore_index": 2}, "indices", False),
    "ignore_index_minus_one": (6, 4, {"ignore_index": -1}, "ignored", False),
    "ignore_weights": (8, 5, {}, "ignored", True),
    "smoothing": (5, 6, {"label_smoothing": 0.1}, "indices", False),
    "smoothing_one_is_uniform": (4, 6, {"label_smoothing": 1.0}, "indices", False),
    "smoothing_sum": (5, 6, {"label_smoothing": 0.2, "reduction": "sum"}, "indices", False),
    "smoothing_none": (5, 6, {"label_smoothing": 0.2, "reduction": "none"}, "indices", False),
    "smoothing_weights": (6, 5, {"label_smoothing": 0.1}, "indices", True),
    "smoothing_ignore": (7, 5, {"label_smoothing": 0.1}, "ignored", False),
    "smoothing_ignore_weights": (9, 5, {"label_smoothing": 0.3}, "ignored", True),
    "smoothing_ignore_weights_none": (9, 5, {"label_smoothing": 0.3, "reduction": "none"}, "ignored", True),
    "smoothing_one_class": (3, 1, {"label_smoothing": 0.25}, "indices", False),
    "probabilities": (5, 6, {}, "probabilities", False),
    "probabilities_sum": (5, 6, {"reduction": "sum"}, "probabilities", False),
    "probabilities_none": (4, 7, {"reduction": "none"}, "probabilities", False),
    "probabilities_weights_mean_divides_by_rows": (5, 6, {}, "probabilities", True),
    "probabilities_smoothing": (5, 6, {"label_smoothing": 0.15}, "probabilities", False),
    "probabilities_smoothing_weights_none": (
        4, 5, {"label_smoothing": 0.15, "reduction": "none"}, "probabilities", True),
    "batch_zero_sum": (0, 5, {"reduction": "sum"}, "indices", False),
    "batch_zero_none": (0, 5, {"reduction": "none"}, "indices", False),
}
SMOKE = {"plain", "ignore_weights", "smoothing_ignore_weights", "probabilities_smoothing"}


def draw_target(fill, kind, rows, classes, attributes):
    if kind == "probabilities":
        share = fill.rng.random((rows, classes)) + 0.05
        return (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    target = fill.rng.integers(0, classes, rows)
    # Every row another class where there are enough: a shifted or shared label shows.
    if classes > 1 and rows > 1:
        target[:2] = [0, classes - 1]
    if kind == "ignored":
        target[1::3] = attributes.get("ignore_index", -100)
    if kind == "all_ignored":
        target[:] = attributes.get("ignore_index", -100)
    return target.astype(np.int64)


def cases():
    for name, (rows, classes, attributes, kind, weighted) in RANDOM.items():
        full = f"/cross_entropy/{name}/random"
        fill = Fill(full)
        parameters = {"weight": fill.uniform(classes, low=0.25, high=2.0)} if weighted else {}
        yield Case(full, "cross_entropy", attributes, "random", ("smoke",) if name in SMOKE else (),
                   inputs={"x": fill.random(rows, classes, scale=2.0),
                           "target": draw_target(fill, kind, rows, classes, attributes)}, parameters=parameters)
    yield from adversarial()
    yield from refusals()


def adversarial():
    def case(name, logits, target, attributes=None, weight=None, tags=(), differentiate=True):
        parameters = {} if weight is None else {"weight": np.array(weight, dtype=np.float32)}
        target = np.asarray(target)
        target = target.astype(np.int64 if target.dtype.kind == "i" else np.float32)
        return Case(f"/cross_entropy/adversarial/{name}", "cross_entropy", attributes or {}, "adversarial", tags,
                    inputs={"x": np.array(logits, dtype=np.float32), "target": target}, parameters=parameters,
                    differentiate=differentiate)

    yield case("logits_1e4", [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], [1, 0], tags=("smoke",))
    yield case("logits_1e4_right_answer", [[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], [0, 1])
    yield case("logits_1e4_smoothing", [[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4]], [1, 0], {"label_smoothing": 0.1})
    yield case("minus_infinity_elsewhere", [[0.5, -np.inf, 1.0], [2.0, 0.0, -np.inf]], [0, 1], tags=("smoke",))
    yield case("minus_infinity_at_the_target", [[0.5, -np.inf, 1.0], [2.0, 0.0, 1.0]], [1, 1])
    yield case("minus_infinity_at_an_ignored_row", [[-np.inf, -np.inf, 1.0], [2.0, 0.0, 1.0]], [-100, 1])
    yield case("plus_infinity", [[np.inf, 0.0, 1.0], [2.0, 0.0, 1.0]], [0, 1], {"reduction": "none"})
    yield case("nan_in_one_row", [[np.nan, 0.0, 1.0], [2.0, 0.0, 1.0]], [2, 1], {"reduction": "none"})
    # Forward alone: PyTorch lets the ignored row's NaN into its gradient.
    yield case("nan_in_an_ignored_row", [[np.nan, 0.0, 1.0], [2.0, 0.0, 1.0]], [-100, 1], differentiate=False)
    yield case("all_ignored_mean_is_nan", [[0.5, 1.0], [2.0, 0.0], [1.0, 3.0]], [-100] * 3, tags=("smoke",))
    yield case("all_ignored_sum_is_zero", [[0.5, 1.0], [2.0, 0.0]], [-100] * 2, {"reduction": "sum"})
    yield case("all_weights_of_the_targets_zero", [[0.5, 1.0, 0.25], [2.0, 0.0, 1.0]], [0, 2], weight=[0, 1, 0])
    yield case("one_class_weight_zero", [[0.5, 1.0, 0.25], [2.0, 0.0, 1.0]], [0, 2], weight=[0, 1, 0.5])
    yield case("equal_logits", [[0.1] * 6, [-7.0] * 6], [0, 5])
    yield case("certain_to_the_last_bit", [[18.0, 0.0], [0.0, 40.0], [104.0, 0.0]], [0, 1, 0], {"reduction": "none"})
    yield case("mean_far_above_the_deviation",
               Fill("/cross_entropy/adversarial/mean").random(4, 30, mean=1e4), [0, 29, 3, 17])
    yield case("probabilities_one_hot", [[0.5, 1.0, 0.25], [2.0, 0.0, 1.0]], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    yield case("probabilities_do_not_sum_to_one", [[0.5, 1.0, 0.25], [2.0, 0.0, 1.0]],
               [[0.5, 1.0, 0.75], [0.0, 0.25, 0.125]])
    yield case("denormal_logits", [[1e-42, -1e-42, 0.0]], [1])
    yield case("batch_zero_mean_is_nan", np.zeros((0, 4)), np.zeros(0, dtype=np.int64))


def refusals():
    x = Fill("/cross_entropy/refuse").random(3, 4)

    def case(name, category, target, attributes=None, weight=None, x=x, tags=(), accepted=False):
        parameters = {} if weight is None else {"weight": np.array(weight, dtype=np.float32)}
        return Case(f"/cross_entropy/refuse/{name}", "cross_entropy", attributes or {}, expect_error=category, tags=tags,
                    accepted_by_pytorch=accepted, inputs={"x": x, "target": np.asarray(target)}, parameters=parameters)

    good = np.array([0, 3, 1])
    yield case("target_minus_one", "index_out_of_range", [0, -1, 2], tags=("smoke",))
    yield case("target_equal_to_the_classes", "index_out_of_range", [0, 1, 4], tags=("smoke",))
    yield case("target_far_out", "index_out_of_range", [0, 2**40, 1])
    yield case("target_minus_100_when_another_is_ignored", "index_out_of_range", [0, -100, 1], {"ignore_index": -1})
    yield case("too_few_targets", "shape_mismatch", good[:2])
    yield case("target_of_rank_three", "shape_mismatch", good.reshape(3, 1, 1))
    yield case("probabilities_of_another_width", "shape_mismatch", np.full((3, 5), 0.2, dtype=np.float32))
    yield case("probabilities_of_another_height", "shape_mismatch", np.full((2, 4), 0.25, dtype=np.float32))
    yield case("weight_too_short", "shape_mismatch", good, weight=[1, 1, 1])
    yield case("smoothing_above_one", "invalid_argument", good, {"label_smoothing": 1.5})
    yield case("smoothing_negative", "invalid_argument", good, {"label_smoothing": -0.1}, accepted=True)
    yield case("reduction_unknown", "invalid_argument", good, {"reduction": "average"})
    yield case("float_indices", "unsupported_dtype", good.astype(np.float32))
    yield case("integer_probabilities", "unsupported_dtype", np.eye(3, 4, dtype=np.int64))
    yield case("integer_x", "unsupported_dtype", good, x=np.arange(12).reshape(3, 4))
