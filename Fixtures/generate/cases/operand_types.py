"""Operands that are stored in 16 bits: float16, and bfloat16 as a float and as marked integers."""
import numpy as np

from assay_golden import BFloat16
from golden_case import Case, Fill

# Every 17th bit pattern: all exponents and signs, denormals and NaN; both types' infinities, −0 and the least denormals.
PATTERNS = np.append(np.arange(0, 1 << 16, 17), [0x7C00, 0xFC00, 0x7F80, 0xFF80, 0x8000, 1, 0x8001]).astype(np.uint16)


def quiet(patterns, infinity, bit):
    """NaN without signalling ones, which a conversion may change."""
    return np.where((patterns & 0x7FFF) > infinity, patterns | bit, patterns).astype(np.uint16)


class Float16:
    dtype = "float16"

    def random(self, fill, *shape, scale=1.0):
        return fill.random(*shape, scale=scale).astype(np.float16)

    def of(self, patterns):
        return quiet(patterns, 0x7C00, 0x0200).view(np.float16)


class AsFloat:
    dtype = "bfloat16"
    as_integers = False

    def random(self, fill, *shape, scale=1.0):
        """Half of float32's bits are cut off: any such value will do, however it is rounded."""
        return self.of((fill.random(*shape, scale=scale).view(np.uint32) >> 16).astype(np.uint16))

    def of(self, patterns):
        return BFloat16(quiet(patterns, 0x7F80, 0x0040), self.as_integers)


class AsIntegers(AsFloat):
    as_integers = True


FORMS = {"float16": Float16(), "bfloat16": AsFloat(), "bfloat16_as_integers": AsIntegers()}


def cases():
    for name, form in FORMS.items():
        def case(kind, operation, attributes, inputs, parameters, upstream, fill_name="random", buffers=None, form=form,
                 name=name):
            return Case(f"/operand_types/{name}/{kind}", operation, {"operand_dtype": form.dtype, **attributes}, fill_name,
                        ("smoke",), inputs=inputs, parameters=parameters, buffers=buffers or {}, upstream={"y": upstream})

        fill = Fill(f"/operand_types/{name}")
        yield case("every_exponent", "relu", {}, {"x": form.of(PATTERNS)}, {}, form.random(fill, PATTERNS.size),
                   "adversarial")
        yield case("convolution", "conv2d", {"padding": 1}, {"x": form.random(fill, 2, 5, 6, 7)},
                   {"weight": form.random(fill, 4, 5, 3, 3, scale=0.15), "bias": form.random(fill, 4)},
                   form.random(fill, 2, 4, 6, 7))
        yield case("matrix", "linear", {}, {"x": form.random(fill, 3, 33)},
                   {"weight": form.random(fill, 17, 33, scale=0.2), "bias": form.random(fill, 17)},
                   form.random(fill, 3, 17))
        yield case("empty", "add", {}, {"x": form.random(fill, 0, 3), "other": form.random(fill, 0, 3)}, {},
                   form.random(fill, 0, 3))
        # The norm's parameters and statistics are float32 beside it.
        yield case("norm_of_mixed_types", "batch_norm2d", {"training": True}, {"x": form.random(fill, 3, 4, 5, 6)},
                   {"weight": fill.random(4, mean=1, scale=0.3), "bias": fill.random(4)}, form.random(fill, 3, 4, 5, 6),
                   buffers={"running_mean": fill.random(4), "running_var": fill.uniform(4, low=0.5, high=1.5),
                            "num_batches_tracked": np.array(3, dtype=np.int64)})
