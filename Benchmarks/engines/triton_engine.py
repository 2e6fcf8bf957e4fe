"""Four layers in Triton as an engine: kernels small enough to read, forward alone.

    assay verify --engine triton='python Benchmarks/engines/triton_engine.py' --filter 'conv2d/*'

- conv2d: an implicit matrix product over (image, row, column) × channel, summed over kernel place × channel of the input.
- batch_norm2d: by running statistics, or by the batch's in two passes over a channel; softmax over axis 1; gelu, both ways.
- Whatever the operands' type, sums are float32. `--tf32` lets the matrix product of float32 operands round them to TF32's
  11 bits, which is not what the engine protocol's float32 is: `info` says so, and a verdict shows it.

It needs PyTorch for memory, and a GPU, or Triton's interpreter on the CPU: `TRITON_INTERPRET=1` and `--device cpu`.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))  # not needed where the package is installed
import assay_engine as assay
import torch
import triton
import triton.language as tl

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
LOG2_E = tl.constexpr(1.4426950408889634)
LN_2 = tl.constexpr(0.6931471805599453)
# What float32 leaves of log2(e).
LOG2_E_REST = tl.constexpr(1.925963033500e-8)
PRECISION = "ieee"


def compiled_once(*varying):
    """A kernel that is compiled once, whatever these integers are: not anew for each that is 1, or a multiple of 16."""
    return triton.jit(do_not_specialize=varying)


@triton.jit
def _exp(x):
    """e^x in float32. The rounding of x·log2(e), which alone would cost |x| roundoffs, is put back as a factor.

    The GPU's exp2 flushes what is below 2^-126 to zero: of small powers it is asked for the 2^64-fold.
    """
    scaled = x * LOG2_E
    small = scaled < -100.0
    power = tl.exp2(scaled + tl.where(small, 64.0, 0.0))
    rest = tl.fma(x, LOG2_E, -scaled) + x * LOG2_E_REST
    # Where the power overflows, or is far below the smallest number, there is nothing to correct; infinities have no remainder.
    power = tl.where((scaled > -200.0) & (scaled < 128.0), power + power * (rest * LN_2), power)
    return tl.where(small, power * 5.421010862427522e-20, power)  # 2^-64


@compiled_once(
    "pixels", "height", "width", "out_height", "out_width", "channels", "kernels", "taps_high", "taps_wide", "stride_high",
    "stride_wide", "pad_top", "pad_left", "dilation_high", "dilation_wide", "x_n", "x_c", "x_h", "x_w", "y_n", "y_c", "y_h",
    "y_w")
def _conv2d_kernel(
    x, weight, bias, y, pixels, height, width, out_height, out_width, channels, kernels, taps_high, taps_wide,
    stride_high, stride_wide, pad_top, pad_left, dilation_high, dilation_wide,
    x_n, x_c, x_h, x_w, y_n, y_c, y_h, y_w,
    HAS_BIAS: tl.constexpr, PRECISION: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
):
    """A tile of output pixels × output channels of one group. Channels of input and output are a group's; weights are
    rows of taps × channels, channels last."""
    group = tl.program_id(2)
    pixel = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    kernel = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    image = (pixel // (out_height * out_width)).to(tl.int64)
    row = (pixel // out_width) % out_height
    column = pixel % out_width
    top = row * stride_high - pad_top
    left = column * stride_wide - pad_left
    terms = taps_high * taps_wide * channels
    total = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for first in range(0, terms, BLOCK_K):
        term = first + tl.arange(0, BLOCK_K)
        channel = term % channels
        tap = term // channels
        high = top[:, None] + ((tap // taps_wide) * dilation_high)[None, :]
        wide = left[:, None] + ((tap % taps_wide) * dilation_wide)[None, :]
        inside = (high >= 0) & (high < height) & (wide >= 0) & (wide < width)
        inside &= (pixel < pixels)[:, None] & (term < terms)[None, :]
        place = image[:, None] * x_n + (group * channels + channel)[None, :] * x_c + high * x_h + wide * x_w
        # Padding is zeros that take part: 0·∞ is a NaN, as the definition has it.
        a = tl.load(x + place, mask=inside, other=0.0)
        b = tl.load(
            weight + (group * kernels + kernel)[None, :].to(tl.int64) * terms + term[:, None],
            mask=(term < terms)[:, None] & (kernel < kernels)[None, :], other=0.0)
        total = tl.dot(a, b, total, input_precision=PRECISION)
    if HAS_BIAS:
        total += tl.load(bias + group * kernels + kernel, mask=kernel < kernels, other=0.0).to(tl.float32)[None, :]
    place = image[:, None] * y_n + (group * kernels + kernel)[None, :] * y_c + row[:, None] * y_h + column[:, None] * y_w
    tl.store(y + place, total.to(y.dtype.element_ty), mask=(pixel < pixels)[:, None] & (kernel < kernels)[None, :])


@compiled_once("count")
def _gelu_kernel(x, y, count, TANH: tl.constexpr, BLOCK: tl.constexpr):
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    value = tl.load(x + place, mask=place < count, other=0.0).to(tl.float32)
    if TANH:
        # ½(1 + tanh z) = 1/(1 + e^(−2z))
        double = 1.5957691216057308 * (value + 0.044715 * value * value * value)
        result = tl.div_rn(value, 1.0 + _exp(-double))
    else:
        result = 0.5 * value * (1.0 + tl.erf(value * 0.7071067811865476))
    tl.store(y + place, result.to(y.dtype.element_ty), mask=place < count)


@compiled_once("length", "inner")
def _softmax_kernel(x, y, length, inner, BLOCK: tl.constexpr):
    """One row: along axis 1, whose elements lie `inner` apart."""
    row = tl.program_id(0).to(tl.int64)
    along = tl.arange(0, BLOCK)
    place = (row // inner) * length * inner + row % inner + along * inner
    value = tl.load(x + place, mask=along < length, other=-float("inf")).to(tl.float32)
    power = _exp(value - tl.max(value, 0))
    power = tl.where(along < length, power, 0.0)
    tl.store(y + place, tl.div_rn(power, tl.sum(power, 0)).to(y.dtype.element_ty), mask=along < length)


@compiled_once("images", "channels", "size")
def _statistics_kernel(x, mean, variance, images, channels, size, BLOCK: tl.constexpr):
    """Mean and variance of one channel over images and pixels, the second around the first."""
    channel = tl.program_id(0)
    count = images * size
    total = tl.zeros((BLOCK,), dtype=tl.float32)
    for first in range(0, count, BLOCK):
        item = first + tl.arange(0, BLOCK)
        place = ((item // size).to(tl.int64) * channels + channel) * size + item % size
        total += tl.load(x + place, mask=item < count, other=0.0).to(tl.float32)
    middle = tl.div_rn(tl.sum(total, 0), count.to(tl.float32))
    square = tl.zeros((BLOCK,), dtype=tl.float32)
    for first in range(0, count, BLOCK):
        item = first + tl.arange(0, BLOCK)
        place = ((item // size).to(tl.int64) * channels + channel) * size + item % size
        away = tl.load(x + place, mask=item < count, other=0.0).to(tl.float32) - middle
        square += tl.where(item < count, away * away, 0.0)
    tl.store(mean + channel, middle)
    tl.store(variance + channel, tl.div_rn(tl.sum(square, 0), count.to(tl.float32)))


@compiled_once("count", "channels", "size")
def _normalise_kernel(
    x, mean, variance, weight, bias, y, count, channels, size, eps, HAS_WEIGHT: tl.constexpr, HAS_BIAS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    channel = (place // size) % channels
    value = tl.load(x + place, mask=inside, other=0.0).to(tl.float32)
    middle = tl.load(mean + channel, mask=inside, other=0.0).to(tl.float32)
    spread = tl.load(variance + channel, mask=inside, other=1.0).to(tl.float32)
    result = tl.div_rn(value - middle, tl.sqrt_rn(spread + eps))
    if HAS_WEIGHT:
        result *= tl.load(weight + channel, mask=inside, other=0.0).to(tl.float32)
    if HAS_BIAS:
        result += tl.load(bias + channel, mask=inside, other=0.0).to(tl.float32)
    tl.store(y + place, result.to(y.dtype.element_ty), mask=inside)


def _blocks(count, block):
    return (triton.cdiv(count, block),)


class Convolution:
    """Weights in the kernel's layout, and what of a problem does not change from run to run."""

    def __init__(self, weight, bias, stride, padding, dilation, groups):
        self.kernels, self.channels, *self.taps = weight.shape
        self.kernels //= groups
        self.weight = weight.permute(0, 2, 3, 1).contiguous()
        self.bias, self.stride, self.dilation, self.groups = bias, stride, dilation, groups
        spans = [d * (k - 1) for d, k in zip(dilation, self.taps)]
        if isinstance(padding, str):
            self.before = [s // 2 if padding == "same" else 0 for s in spans]
            both = [s if padding == "same" else 0 for s in spans]
        else:
            self.before, both = list(padding), [2 * p for p in padding]
        self.shrinks = [b - s for b, s in zip(both, spans)]

    def __call__(self, x):
        high, wide = ((n + s - 1) // step + 1 for n, s, step in zip(x.shape[2:], self.shrinks, self.stride))
        y = torch.empty((x.shape[0], self.kernels * self.groups, high, wide), dtype=x.dtype, device=x.device)
        pixels = x.shape[0] * high * wide
        if y.numel() == 0:
            return y
        large = pixels >= 4096 and self.kernels >= 64
        tile = (128, 64, 32) if large else (32, 32, 32)
        grid = (triton.cdiv(pixels, tile[0]), triton.cdiv(self.kernels, tile[1]), self.groups)
        _conv2d_kernel[grid](
            x, self.weight, self.bias, y, pixels, *x.shape[2:], high, wide, self.channels, self.kernels, *self.taps,
            *self.stride, *self.before, *self.dilation, *x.stride(), *y.stride(),
            HAS_BIAS=self.bias is not None, PRECISION=PRECISION, BLOCK_M=tile[0], BLOCK_N=tile[1], BLOCK_K=tile[2],
            num_warps=4)
        return y


@assay.operation("conv2d")
def conv2d(x, weight, bias=None, *, stride, padding, dilation, groups):
    return Convolution(weight, bias, stride, padding, dilation, groups)(x.contiguous())


@assay.prepare("conv2d")
def prepare_conv2d(x, weight, bias=None, *, stride, padding, dilation, groups):
    return Convolution(weight, bias, stride, padding, dilation, groups)


@assay.operation("gelu")
def gelu(x, *, approximate):
    x = x.contiguous()
    y = torch.empty_like(x)
    if x.numel():
        _gelu_kernel[_blocks(x.numel(), 1024)](x, y, x.numel(), TANH=approximate == "tanh", BLOCK=1024)
    return y


@assay.operation("softmax")
def softmax(x):
    x = x.contiguous()
    y, length = torch.empty_like(x), x.shape[1]
    if x.numel():
        inner = x[0, 0].numel()
        _softmax_kernel[(x.shape[0] * inner,)](x, y, length, inner, BLOCK=max(1024, triton.next_power_of_2(length)))
    return y


@assay.operation("batch_norm2d")
def batch_norm2d(x, weight=None, bias=None, running_mean=None, running_var=None, num_batches_tracked=None, *, training,
                 momentum, eps):
    x = x.contiguous()
    images, channels, *sides = x.shape
    size, y, after = sides[0] * sides[1], torch.empty_like(x), {}
    mean, variance = running_mean, running_var
    if training or running_mean is None:
        mean, variance = (torch.empty(channels, dtype=torch.float32, device=x.device) for _ in range(2))
        _statistics_kernel[(channels,)](x, mean, variance, images, channels, size, BLOCK=1024)
    if training and running_mean is not None:
        after = _tracked(mean, variance, images * size, running_mean, running_var, num_batches_tracked, momentum)
    _normalise_kernel[_blocks(x.numel(), 1024)](
        x, mean, variance, weight, bias, y, x.numel(), channels, size, eps, HAS_WEIGHT=weight is not None,
        HAS_BIAS=bias is not None, BLOCK=1024)
    return {"y": y, **after}


def _tracked(mean, variance, count, running_mean, running_var, batches, momentum):
    """What a step of training leaves in the buffers: the variance that it keeps is divided by count − 1."""
    after = {}
    if batches is not None:
        after["num_batches_tracked"] = batches + 1
        if momentum != momentum:  # NaN: the mean over all batches
            momentum = 1.0 / float(batches + 1)
    kept = variance * (count / max(count - 1, 1))
    for name, old, new in (("running_mean", running_mean, mean), ("running_var", running_var, kept)):
        after[name] = (old.float() * (1 - momentum) + new * momentum).to(old.dtype)
    return after


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, or cpu with TRITON_INTERPRET=1 (default: cuda)")
    parser.add_argument("--tf32", action="store_true", help="let matrix products round float32 operands to TF32")
    options = parser.parse_args()
    on_gpu = options.device != "cpu"
    if on_gpu and not torch.cuda.is_available():
        parser.error("no GPU is here: --device cpu with TRITON_INTERPRET=1 interprets the kernels")
    if not on_gpu and not INTERPRETED:
        parser.error("--device cpu needs TRITON_INTERPRET=1: Triton compiles for GPUs alone")
    # The interpreter cuts off what bfloat16 does not hold, where a GPU rounds, and multiplies patterns as if they were numbers.
    dtypes = ("float32", "float16", "bfloat16") if on_gpu else ("float32", "float16")
    global PRECISION
    PRECISION = "tf32" if options.tf32 else "ieee"
    assay.serve(
        name="triton-tf32" if options.tf32 else "triton", version=triton.__version__, device=options.device,
        dtypes=("float32",) if options.tf32 else dtypes,
        deterministic=True, convert=lambda array: torch.from_dlpack(array).to(options.device),
        synchronize=torch.cuda.synchronize if on_gpu else None,
        info={
            "gpu": torch.cuda.get_device_name(options.device) if on_gpu else "none, interpreted",
            "float32_products": "TF32" if options.tf32 else "IEEE", "accumulate": "float32"})


if __name__ == "__main__":
    main()
