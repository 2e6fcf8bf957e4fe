"""What is refused before a function sees it, by category."""

import unittest

import numpy as np

from assay_engine import Case, Refused, require_sound


def case(operation, attributes=None, **shapes):
    """x, weight, bias … of ones with these shapes; `int_x` is of integers."""
    found = Case("/case", operation, "float32", attributes or {})
    for name, shape in shapes.items():
        key = name.removeprefix("int_")
        group = found.inputs if key in ("x", "other", "target") else found.parameters
        group[key] = np.ones(shape, np.int64 if name.startswith("int_") else np.float32)
    return found


SOUND = [
    case("conv2d", {"padding": "same"}, x=(2, 4, 6, 5), weight=(6, 4, 3, 3), bias=(6,)),
    case("conv2d", {"groups": 2, "stride": 6}, x=(0, 4, 6, 5), weight=(6, 2, 3, 3)),
    case("conv_transpose2d", {"output_padding": 1, "dilation": 2}, x=(2, 4, 6, 5), weight=(4, 3, 3, 3), bias=(3,)),
    case("max_pool2d", {"kernel_size": 3, "padding": 1}, x=(1, 2, 5, 6)),
    case("avg_pool2d", {"kernel_size": 4, "stride": 5, "ceil_mode": True}, x=(1, 2, 5, 6)),
    case("upsample2d", {"scale_factor": 0.5}, x=(1, 2, 4, 3)),
    case("layer_norm", {"normalized_dims": 3}, x=(4, 5, 6), weight=(4, 5, 6)),
    case("cross_entropy", {"ignore_index": 1}, x=(3, 1), int_target=(3,)),
    case("cross_entropy", x=(3, 4), target=(3, 4)),
    case("add", x=(), other=()),
    case("a custom one", x=(3,), int_weight=(2,)),
]

UNSOUND = [
    ("shape_mismatch", case("conv2d", x=(4, 6, 5), weight=(6, 4, 3, 3))),
    ("shape_mismatch", case("conv2d", x=(1, 4, 2, 5), weight=(6, 4, 3, 3))),
    ("shape_mismatch", case("conv2d", x=(1, 4, 6, 5), weight=(6, 4, 3, 3), bias=(6, 1))),
    ("invalid_argument", case("conv2d", {"groups": 3}, x=(1, 4, 6, 5), weight=(6, 1, 3, 3))),
    ("invalid_argument", case("conv2d", {"stride": [1, 1, 1]}, x=(1, 4, 6, 5), weight=(6, 4, 3, 3))),
    ("invalid_argument", case("conv2d", {"padding": "same", "stride": 2}, x=(1, 4, 6, 5), weight=(6, 4, 3, 3))),
    ("unsupported_dtype", case("conv2d", int_x=(1, 4, 6, 5), weight=(6, 4, 3, 3))),
    ("invalid_argument", case("conv_transpose2d", {"padding": "same"}, x=(1, 4, 6, 5), weight=(4, 3, 3, 3))),
    ("invalid_argument", case("conv_transpose2d", {"output_padding": 1}, x=(1, 4, 6, 5), weight=(4, 3, 3, 3))),
    ("shape_mismatch", case("conv_transpose2d", {"padding": 9}, x=(1, 4, 6, 5), weight=(4, 3, 3, 3))),
    ("invalid_argument", case("max_pool2d", {"kernel_size": 3, "padding": 2}, x=(1, 2, 5, 6))),
    ("shape_mismatch", case("max_pool2d", {"kernel_size": 7}, x=(1, 2, 5, 6))),
    ("invalid_argument", case("avg_pool2d", {"kernel_size": 2, "divisor_override": 0}, x=(1, 2, 5, 6))),
    ("invalid_argument", case("adaptive_avg_pool2d", {"output_size": [-1, 2]}, x=(1, 2, 7, 5))),
    ("invalid_argument", case("adaptive_avg_pool2d", {"output_size": [3, 0]}, x=(1, 2, 7, 5))),
    ("invalid_argument", case("upsample2d", x=(1, 2, 4, 3))),
    ("invalid_argument", case("upsample2d", {"size": 4, "scale_factor": 2.0}, x=(1, 2, 4, 3))),
    ("invalid_argument", case("upsample2d", {"scale_factor": float("nan")}, x=(1, 2, 4, 3))),
    ("shape_mismatch", case("linear", x=(2, 5), weight=(5, 3))),
    ("shape_mismatch", case("batch_norm2d", {"training": True}, x=(1, 3, 1, 1))),
    ("invalid_argument", case("batch_norm2d", {"eps": -1.0}, x=(2, 3, 4, 5))),
    ("invalid_argument", case("group_norm", {"num_groups": 4}, x=(2, 6, 4))),
    ("invalid_argument", case("group_norm", {"num_groups": 2, "eps": -1.0}, x=(2, 6, 4))),
    ("invalid_argument", case("layer_norm", {"normalized_dims": 1, "eps": float("nan")}, x=(4, 5))),
    ("shape_mismatch", case("layer_norm", {"normalized_dims": 3}, x=(4, 5))),
    ("index_out_of_range", case("cross_entropy", x=(3, 1), int_target=(3,))),
    ("unsupported_dtype", case("cross_entropy", x=(3, 4), target=(3,))),
    ("invalid_argument", case("gelu", {"approximate": "erf"}, x=(2, 3))),
    ("shape_mismatch", case("scaled_add", x=(2, 3), other=(1, 3))),
    ("shape_mismatch", case("softmax", x=(4,))),
]


class Soundness(unittest.TestCase):
    def test_sound_problems_pass(self):
        for each in SOUND:
            with self.subTest(each):
                require_sound(each)

    def test_others_are_refused_by_category(self):
        for category, each in UNSOUND:
            with self.subTest(each), self.assertRaises(Refused) as caught:
                require_sound(each)
            self.assertEqual(caught.exception.category, category, each)


if __name__ == "__main__":
    unittest.main()
