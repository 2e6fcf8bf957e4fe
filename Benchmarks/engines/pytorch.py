"""PyTorch as an engine: eager, with autograd for gradients; timed in inference mode with the fastest of its layouts.

On the CPU, or with `--device cuda` on a GPU. There `--tf32` lets PyTorch round float32 operands of convolutions and matrix
products to TF32's 11 bits, which for convolutions is its own default and is off here without the option; on the CPU, which
has no TF32, it rounds operands of `conv2d` and `linear` so. `info` says it; a verdict shows it.
"""

import argparse
import ctypes
import os
import sys
from pathlib import Path

import numpy as np

# How often libgomp's threads look for work before they sleep, read when it is loaded: below 1 ms, more than passes
# between two runs; its own setting keeps an idle pool at work for 3 ms after the last.
os.environ.setdefault("GOMP_SPINCOUNT", "30000")
import torch
import torch.nn.functional as F
from torch.utils import mkldnn

sys.path.insert(0, str(Path(__file__).resolve().parent / "python"))
from assay_engine import Engine, Prepared, Refused, Run, Unsupported, fastest, keywords, require_sound, serve


SIXTEEN = (torch.float16, torch.bfloat16)


def _refusal(error):
    text = str(error).split("\n")[0]
    if "not implemented for" in text and ("'Half'" in text or "'BFloat16'" in text):
        return Unsupported(f"no kernel of 16 bits: {text}")
    if "cannot be converted to type c10::" in text:  # a factor beyond the operands' type, in which PyTorch takes it
        return Unsupported(text)
    if "Dimension out of range" in text:
        return Refused("shape_mismatch", text)
    if isinstance(error, IndexError) or "out of bounds" in text or "out of range" in text:
        return Refused("index_out_of_range", text)
    kinds = ("dtype", "expected scalar", "scalar type", "not implemented for", "should be the same", "integral")
    if any(word in text for word in kinds):
        return Refused("unsupported_dtype", text)
    if "divisible" in text:
        return Refused("invalid_argument", text)
    # The last is how oneDNN says that a size is below 1.
    shapes = ("size", "shape", "channels", "dimension", "mat1", "elements", "memory descriptor")
    return Refused("shape_mismatch" if any(word in text for word in shapes) else "invalid_argument", text)


# The results of a network between its stages, as the golden format names them.
STAGES = ("stage1", "stage2", "stage3", "stage4")
# What PyTorch leaves to oneDNN in 16 bits, where the machine has instructions for them.
CONVOLUTIONS = ("conv2d", "conv_transpose2d")
ONEDNN = (*CONVOLUTIONS, "linear", "gelu")


def _require_definition(operation, tensors):
    """oneDNN takes denormals of 16 bits for zeros; its convolutions skip padding (no 0·∞) and spread a NaN to outputs
    beside its window. That is not the definition, so that such operands are declared as not supported."""
    native = {torch.bfloat16: torch.ops.mkldnn._is_mkldnn_bf16_supported,
              torch.float16: torch.ops.mkldnn._is_mkldnn_fp16_supported}
    if operation not in ONEDNN:
        return
    for tensor in tensors:
        if tensor.dtype not in native or not native[tensor.dtype]():
            continue
        magnitude = tensor.abs()
        if ((magnitude > 0) & (magnitude < torch.finfo(tensor.dtype).tiny)).any():
            raise Unsupported(f"oneDNN takes denormals in {tensor.dtype} for zeros")
        if operation in CONVOLUTIONS and not magnitude.isfinite().all():
            raise Unsupported(f"oneDNN's convolutions in {tensor.dtype} skip padding, also where 0·∞ is NaN")


# Each operation takes its tensors by name and its attributes as keywords.


def _batch_norm(x, weight=None, bias=None, running_mean=None, running_var=None, num_batches_tracked=None, *, training,
                momentum, eps):
    if x.dim() != 4:  # what torch.nn.BatchNorm2d checks and the function leaves out
        raise Refused("shape_mismatch", f"expected 4D input (got {x.dim()}D input)")
    if training and num_batches_tracked is not None:
        num_batches_tracked += 1
        if np.isnan(momentum):
            momentum = 1.0 / float(num_batches_tracked)
    batch_statistics = training or running_mean is None
    if batch_statistics and eps == 0:
        raise Unsupported("PyTorch normalises by a batch's statistics with eps > 0 alone")
    return F.batch_norm(
        x, running_mean, running_var, weight, bias, batch_statistics, 0.0 if np.isnan(momentum) else momentum, eps)


def _upsample(x, *, mode, size, scale_factor, align_corners):
    # With neither size nor factor, or with both, PyTorch is what refuses. It takes no value at all where the mode does
    # not interpolate, and refuses what is asked there.
    align = align_corners if mode == "bilinear" or align_corners else None
    return F.interpolate(x, size=size, scale_factor=scale_factor, mode=mode, align_corners=align)


def _cross_entropy(x, target, weight=None, **attributes):
    if x.dtype in SIXTEEN:
        # The loss of an exercise of 16 bits is float32, and so are the class weights: as under PyTorch's autocast.
        x = x.float()
        target = target.float() if target.is_floating_point() else target
    return F.cross_entropy(x, target, weight=weight, **attributes)


def _max_pool(x, *, kernel_size, stride, padding, dilation, ceil_mode):
    return F.max_pool2d(x, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)


def _conv_transpose(x, weight, bias=None, *, stride, padding, output_padding, dilation, groups):
    return F.conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)


def _affine(x, shape, weight, bias):
    """Weight and bias of a norm. Beside an x of 16 bits PyTorch takes a float32 bias only beside a weight."""
    if weight is None and bias is not None and bias.dtype != x.dtype:
        weight = torch.ones(shape, dtype=bias.dtype, device=bias.device)
    return weight, bias


def _group_norm(x, weight=None, bias=None, *, num_groups, eps):
    # The function beneath F.group_norm, which refuses a single value a channel as if it were a batch norm.
    return torch.group_norm(x, num_groups, *_affine(x, x.shape[1:2], weight, bias), eps)


def _layer_norm(x, weight=None, bias=None, *, normalized_dims, eps):
    if normalized_dims < 1:
        raise Refused("invalid_argument", f"normalized_dims: expected 1 or more, found {normalized_dims}")
    # With more axes than x has, PyTorch is what refuses.
    shape = (1,) * (normalized_dims - x.dim()) + tuple(x.shape[-normalized_dims:])
    return F.layer_norm(x, shape, *_affine(x, shape, weight, bias), eps)


OPERATIONS = {
    "conv2d": lambda x, weight, bias=None, **attributes: F.conv2d(x, weight, bias, **attributes),
    "conv_transpose2d": _conv_transpose,
    "batch_norm2d": _batch_norm,
    "group_norm": _group_norm,
    "layer_norm": _layer_norm,
    "relu": F.relu,
    "gelu": F.gelu,
    "silu": F.silu,
    "identity": torch.clone,
    "dropout": lambda x: F.dropout(x, training=False),
    "softmax": lambda x: F.softmax(x, dim=1),
    "log_softmax": lambda x: F.log_softmax(x, dim=1),
    "flatten": lambda x: torch.flatten(x, 1),
    "add": lambda x, other: x + other,
    "scaled_add": lambda x, other, alpha: torch.add(x, other, alpha=alpha),
    "max_pool2d": _max_pool,
    "avg_pool2d": F.avg_pool2d,
    "adaptive_avg_pool2d": F.adaptive_avg_pool2d,
    "upsample2d": _upsample,
    "linear": F.linear,
    "cross_entropy": _cross_entropy,
}


def call_of(operation, tensors, attributes):
    """The operation on its tensors, all arguments bound: `x` by place, since frameworks call it by other names."""
    function, others = OPERATIONS[operation], {name: value for name, value in tensors.items() if name != "x"}
    x = tensors["x"]
    return lambda: function(x, **others, **attributes)


def shared(value):
    """A tensor on the array's own memory; arrays of uint16 are bfloat16's bit patterns."""
    if value.dtype == np.uint16:
        return torch.from_numpy(value.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(value)


def _tensor(value):
    return shared(np.array(value))


def _array(tensor):
    tensor = tensor.detach().cpu().contiguous()
    return tensor.view(torch.int16).numpy().view(np.uint16) if tensor.dtype == torch.bfloat16 else tensor.numpy()


def tensors_of(arrays):
    return {name: _tensor(value) for name, value in arrays.items()}


def _outputs(operation, y):
    if isinstance(y, tuple):
        return {"y": y[0], "indices": y[1]}
    return {"loss" if operation == "cross_entropy" else "y": y}


def _arrays(tensors):
    return {name: _array(tensor) for name, tensor in tensors.items()}


def _in_type(model, dtype):
    """The model in a type; beside 16 bits, batch norms are float32."""
    model = model.to(dtype)
    if dtype in SIXTEEN:
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.float()
    return model


class Candidate:
    """One way to do an operation: `take(x)` gives the operand in the layout that the way starts from, `call(operand)`
    does the operation. An operand that is not the set's own memory is taken again when the set's numbers change."""

    def __init__(self, call, take=lambda x: x):
        self.call, self.take = call, take

    def run(self, x, answer):
        held, call = [self.take(x)], self.call

        def run():
            with torch.inference_mode():
                return call(held[0])

        def refresh():
            held[0] = self.take(x)

        return Run(run, answer, refresh=None if held[0] is x else refresh)


class PyTorch(Engine):
    name = "pytorch"
    version = torch.__version__
    operations = tuple(OPERATIONS) + ("resnet",)
    dtypes = ("float32", "float64", "float16", "bfloat16")
    passes = ("forward", "backward")
    info = {"mkldnn": str(torch.backends.mkldnn.is_available())}
    # Of operations that are prepared in one way alone.
    manner = "eager, contiguous"

    def __init__(self):
        # The training prepared last, by problem and threads.
        self.trainings = {}

    def place(self, tensor):
        """The tensor where the engine computes."""
        return tensor

    def places(self, tensors):
        return {name: self.place(tensor) for name, tensor in tensors.items()}

    def fastest(self, candidates, x, rounds=5):
        """The description of the fastest of {description: Candidate} on an operand like those to come."""
        return fastest({name: each.run(x, None).call for name, each in candidates.items()}, rounds)

    def binder(self, case, weights):
        """A function of the inputs that gives what computes the case on them."""
        attributes = keywords(case)
        return lambda inputs: call_of(case.operation, {**inputs, **weights}, attributes)

    def compute(self, case, passes, threads, wanted=()):
        torch.set_num_threads(threads)
        if case.operation == "resnet":
            return self._network_groups(case, passes)
        inputs, parameters, buffers, upstream = (
            self.places(tensors_of(group)) for group in (case.inputs, case.parameters, case.buffers, case.upstream))
        self.require_definition(case, [*inputs.values(), *parameters.values(), *upstream.values()])
        leaves = {k: v for k, v in {**inputs, **parameters}.items() if v.is_floating_point()}
        if case.operation == "cross_entropy":
            leaves = {"x": inputs["x"]}
        backward = "backward" in passes
        for leaf in leaves.values():
            leaf.requires_grad_(backward)
        try:
            with torch.set_grad_enabled(backward):
                y = self.binder(case, {**parameters, **buffers})(inputs)()
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            raise _refusal(error) from error
        outputs = _outputs(case.operation, y)
        groups = {"outputs": _arrays(outputs)}
        if backward and upstream:
            main = next(iter(outputs.values()))
            names = [k for k, v in leaves.items() if v.requires_grad]
            cotangent = next(iter(upstream.values())).to(main.dtype).reshape(main.shape)
            found = torch.autograd.grad(main, [leaves[k] for k in names], cotangent, allow_unused=True)
            groups["gradients"] = {k: _array(g) for k, g in zip(names, found) if g is not None}
        if case.buffers:
            groups["buffers_after"] = _arrays(buffers)
        return groups

    def require_definition(self, case, tensors):
        _require_definition(case.operation, tensors)

    def network(self, case, training):
        import torchvision

        name = case.string("architecture")
        if not hasattr(torchvision.models, name):
            raise Unsupported(f"torchvision has no {name}")
        model = getattr(torchvision.models, name)(weights=None, num_classes=case.integer("num_classes", 1000))
        model = _in_type(model, getattr(torch, case.dtype))
        if case.parameters:
            # Each tensor stays in the type that it came in.
            model.load_state_dict(tensors_of({**case.parameters, **case.buffers}), strict=False, assign=True)
        return model.train() if training else model.eval()

    def _network_groups(self, case, passes):
        backward = "backward" in passes
        if backward and case.dtype in ("float16", "bfloat16"):
            raise Unsupported("gradients of whole networks in 16 bits")
        model, inputs, outputs = self.network(case, case.boolean("training", False)), tensors_of(case.inputs), {}

        def keep(name):
            return lambda module, arguments, y: outputs.update({name: y})

        for name in STAGES:
            if f"outputs/{name}" not in self.omits:
                getattr(model, name.replace("stage", "layer")).register_forward_hook(keep(name))
        x = inputs["x"].requires_grad_(backward)
        with torch.set_grad_enabled(backward):
            outputs["logits"] = model(x)
            if "target" in inputs:
                outputs["loss"] = _cross_entropy(outputs["logits"], inputs["target"])
        groups = {"outputs": _arrays(outputs)}
        if backward and "loss" in case.upstream:
            leaves = {"x": x, **dict(model.named_parameters())}
            cotangent = tensors_of(case.upstream)["loss"].reshape(outputs["loss"].shape)
            found = torch.autograd.grad(outputs["loss"], list(leaves.values()), cotangent)
            groups["gradients"] = _arrays(dict(zip(leaves, found)))
        if case.buffers:
            groups["buffers_after"] = _arrays(dict(model.named_buffers()))
        return groups

    def prepare(self, case, timed_pass, layout, threads):
        torch.set_num_threads(threads)
        if case.operation == "resnet":
            return self._prepare_network(case, timed_pass, layout, threads)
        if case.operation == "conv2d":
            return self._prepare_convolution(case, timed_pass, layout)
        if timed_pass != "forward":
            raise Unsupported(f"{timed_pass} of {case.operation}")
        bound = self.binder(case, self.places(tensors_of({**case.parameters, **case.buffers})))

        def bind(inputs, upstream):
            held = {}

            def refresh():
                held["call"] = bound(self.places({name: shared(array) for name, array in inputs.items()}))

            def run():
                with torch.inference_mode():
                    return held["call"]()

            refresh()
            return Run(run, lambda y: {"outputs": _arrays(_outputs(case.operation, y))}, refresh=refresh)

        return Prepared(bind, self.manner)

    def _prepare_convolution(self, case, timed_pass, layout):
        if timed_pass == "forward":
            candidates = self.convolutions(case, layout)
            best = self.fastest(candidates, shared(case.inputs["x"]))
            return Prepared(
                lambda inputs, upstream: candidates[best].run(
                    shared(inputs["x"]), lambda y: {"outputs": {"y": _array(y.to_dense() if y.is_mkldnn else y)}}),
                best)
        padding = case.padding()
        if timed_pass not in ("backward_data", "backward_weight") or isinstance(padding, str):
            raise Unsupported(f"{timed_pass} of this convolution")
        return self._prepare_gradient(case, timed_pass, layout)

    def convolutions(self, case, layout):
        """The ways to compute a convolution in a layout, by description."""
        w = self.place(_tensor(case.parameters["weight"]))
        bias = self.place(_tensor(case.parameters["bias"])) if "bias" in case.parameters else None
        attributes, last, convolve = keywords(case), torch.channels_last, OPERATIONS["conv2d"]
        wl = w.contiguous(memory_format=last)
        plain = Candidate(lambda x: convolve(x, w, bias, **attributes), self.place)
        if layout == "nchw":
            return {
                "eager, contiguous": plain,
                "eager, through channels_last": Candidate(
                    lambda x: convolve(x.contiguous(memory_format=last), wl, bias, **attributes).contiguous(),
                    self.place)}
        return {
            "eager, channels_last": Candidate(
                lambda x: convolve(x, wl, bias, **attributes),
                lambda x: self.place(x).contiguous(memory_format=last)),
            "eager, contiguous": plain, **self.packed(case, w, bias, attributes)}

    def packed(self, case, w, bias, attributes):
        """oneDNN's own blocked layout with packed weights, where it takes the problem."""
        if isinstance(attributes["padding"], str) or case.dtype != "float32":
            return {}
        x = shared(case.inputs["x"])
        try:
            module = torch.nn.Conv2d(
                x.shape[1], w.shape[0], tuple(w.shape[2:]), bias=bias is not None, **attributes)
            module.weight.data = w
            if bias is not None:
                module.bias.data = bias
            packed = mkldnn.to_mkldnn(module.eval())
            with torch.inference_mode():
                packed(x.to_mkldnn())
            return {"oneDNN tensors, packed weights": Candidate(packed, lambda x: x.to_mkldnn())}
        except RuntimeError:
            return {}

    def _prepare_gradient(self, case, timed_pass, layout):
        """The gradient of x by the weights, or of the weights by x: what is held is the pair of cotangent and x."""
        w, a, last = self.place(_tensor(case.parameters["weight"])), keywords(case), torch.channels_last
        name, place = ("x", 0) if timed_pass == "backward_data" else ("weight", 1)
        mask = [place == 0, place == 1, False]

        settings = (None, a["stride"], a["padding"], a["dilation"], False, (0, 0), a["groups"], mask)

        def gradient(weight):
            return lambda operands: torch.ops.aten.convolution_backward(*operands, weight, *settings)[place]

        def places(pair):
            return tuple(self.place(each) for each in pair)

        candidates = {"eager, contiguous": Candidate(gradient(w), places)}
        if layout == "native":
            candidates["eager, channels_last"] = Candidate(
                gradient(w.contiguous(memory_format=last)),
                lambda pair: tuple(each.contiguous(memory_format=last) for each in places(pair)))

        def operands(inputs, upstream):
            return shared(upstream["y"]), shared(inputs["x"])

        best = self.fastest(candidates, operands(case.inputs, case.upstream))
        return Prepared(
            lambda inputs, upstream: candidates[best].run(
                operands(inputs, upstream), lambda found: {"gradients": {name: _array(found)}}), best)

    def _prepare_network(self, case, timed_pass, layout, threads):
        if layout != "nchw":
            raise Unsupported("a whole network starts and ends in NCHW")
        if timed_pass == "training_step":
            return self._prepare_training(case, threads)
        if timed_pass not in ("forward", "inference"):
            raise Unsupported(f"{timed_pass} of a network")
        x = shared(case.inputs["x"])
        candidates = self.networks(case, x)
        best = self.fastest(candidates, x, rounds=3)
        return Prepared(
            lambda inputs, upstream: candidates[best].run(
                shared(inputs["x"]), lambda y: {"outputs": {"logits": _array(y)}}), best)

    def networks(self, case, x):
        """The ways to run a whole network, by description."""
        model = self.network(case, False)
        traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, x)))
        last = self.network(case, False).to(memory_format=torch.channels_last)
        return {
            "eager, contiguous": Candidate(model),
            "eager, channels_last": Candidate(lambda x: last(x.contiguous(memory_format=torch.channels_last))),
            "frozen TorchScript, optimised for inference": Candidate(traced)}

    def _prepare_training(self, case, threads):
        """Steps from the case's values, in the way that is fastest on stand-ins. What depends on no number (the choice,
        and what a way compiled) is kept for the next time."""
        optimizer = _optimizer(case)
        key = (case.string("architecture"), tuple(case.inputs["x"].shape), threads)
        if key not in self.trainings:
            self.trainings = {key: self._chosen_training(case, optimizer)}
        way, training = self.trainings[key]
        training.begin(case, optimizer)

        def bind(inputs, upstream):
            x, target = shared(inputs["x"]), shared(inputs["target"])
            return Run(lambda: training.step(x, target), lambda loss: {"outputs": {"loss": _array(loss)}})

        return Prepared(bind, f"{way}, {case.string('optimizer')}", start=lambda: training.begin(case, optimizer))

    def _chosen_training(self, case, optimizer):
        ways = self.trainings_of(case)
        for training in ways.values():
            training.begin(case, optimizer)
        x, target = shared(case.inputs["x"]), shared(case.inputs["target"])
        best = fastest({way: lambda t=training: t.step(x, target) for way, training in ways.items()}, rounds=2)
        return best, ways[best]

    def trainings_of(self, case):
        """The ways to train a whole network, by description."""
        return {
            "eager, contiguous": Training(self.network(case, True)),
            "eager, channels_last": Training(self.network(case, True), torch.channels_last)}


class OnDevice(PyTorch):
    """The same on another device than the CPU, or in TF32: layers, and no whole networks."""

    operations = tuple(OPERATIONS)

    def __init__(self, device, tf32):
        super().__init__()
        self.device, on_gpu = device, device != "cpu"
        # What is known to fail on the CPU is not excused elsewhere: it has another name.
        self.name = "pytorch" + ("-cuda" if on_gpu else "") + ("-tf32" if tf32 else "")
        if tf32:
            self.dtypes = ("float32",)
        if on_gpu:
            torch.cuda.set_device(torch.device(device).index or 0)
            # Some of cuDNN's gradients are sums in no fixed order.
            self.deterministic = False
            torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
            # Sums of 16 bits are kept in float32, as `info` says.
            torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
            torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
            self.synchronize = torch.cuda.synchronize
        elif tf32:
            self.passes = ("forward",)
            OPERATIONS.update({name: _in_tf32(OPERATIONS[name]) for name in ("conv2d", "linear")})
        self.info = {
            "gpu": torch.cuda.get_device_name(device) if on_gpu else "none",
            "cudnn": str(torch.backends.cudnn.version()) if on_gpu else "none",
            "float32_products": "TF32" if tf32 else "IEEE", "accumulate": "float32"}

    def place(self, tensor):
        return tensor.to(self.device)

    def fastest(self, candidates, x, rounds=5):
        if self.synchronize is None:
            return super().fastest(candidates, x, rounds)

        def waited(run):
            def waits():
                run()
                self.synchronize()

            return waits

        return fastest({name: waited(each.run(x, None).call) for name, each in candidates.items()}, rounds)

    def require_definition(self, case, tensors):
        # What has no result is refused here: a kernel that reads out of bounds ends the process's use of a GPU.
        require_sound(case)
        if self.device == "cpu":
            super().require_definition(case, tensors)

    def packed(self, case, w, bias, attributes):
        return super().packed(case, w, bias, attributes) if self.device == "cpu" and "tf32" not in self.name else {}


def _in_tf32(function):
    """The function on operands of 11 significant bits, ties to even, as a GPU rounds them."""

    def rounded(tensor):
        if tensor.dtype != torch.float32:
            return tensor
        bits = tensor.contiguous().view(torch.int32)
        short = ((bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF).view(torch.float32)
        return torch.where(tensor.isfinite(), short, tensor)

    return lambda x, weight, bias=None, **attributes: function(rounded(x), rounded(weight), bias, **attributes)


class Training:
    """A network in training mode, in a memory format, and what runs it: itself, or what was compiled from it."""

    def __init__(self, model, memory_format=torch.contiguous_format, compiled=lambda model: model):
        self.model, self.memory_format = model.to(memory_format=memory_format), memory_format
        self.run, self.optimizer = compiled(self.model), None

    def begin(self, case, optimizer):
        """Back to the case's values, which nobody has trained."""
        self.model.load_state_dict(tensors_of({**case.parameters, **case.buffers}), strict=False)
        self.optimizer = optimizer(self.model.parameters())

    def step(self, x, target):
        """Forward, loss, backward and the optimiser; the loss before the step."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.run(x.contiguous(memory_format=self.memory_format)), target)
        loss.backward()
        self.optimizer.step()
        return loss.detach()


def _optimizer(case):
    """The optimiser that a case's attributes ask for: a function of the parameters."""
    kinds = {
        "sgd": (torch.optim.SGD, {
            "lr": case.real("lr", 0), "momentum": case.real("momentum", 0), "dampening": case.real("dampening", 0),
            "nesterov": case.boolean("nesterov", False)}),
        "adam": (torch.optim.Adam, {}), "adamw": (torch.optim.AdamW, {})}
    name = case.string("optimizer", "none")
    if name not in kinds:
        raise Refused("invalid_argument", f"optimizer: expected one of {', '.join(kinds)}, found {name}")
    kind, keys = kinds[name]
    if name != "sgd":
        keys = {"lr": case.real("lr", 1e-3), "betas": case.reals("betas", (0.9, 0.999)), "eps": case.real("eps", 1e-8),
                "amsgrad": case.boolean("amsgrad", False)}
    keys["weight_decay"] = case.real("weight_decay", 0.01 if name == "adamw" else 0)
    return lambda parameters: kind(parameters, fused=True, **keys)


def keep_memory():
    """Results are allocated by each call: freed memory stays with the process, as it does in a network that runs again
    and again, so that no call is charged for pages that the system takes back and gives anew."""
    try:
        libc = ctypes.CDLL(None)
        trim_threshold, mmap_max = -1, -4  # glibc's M_TRIM_THRESHOLD and M_MMAP_MAX
        libc.mallopt(trim_threshold, (1 << 31) - 1)
        libc.mallopt(mmap_max, 0)
    except (OSError, AttributeError):
        pass  # another C library


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:1 (default: cpu)")
    parser.add_argument("--tf32", action="store_true", help="round float32 operands of products to TF32")
    options = parser.parse_args()
    if options.device != "cpu" and not torch.cuda.is_available():
        parser.error("no GPU is here that PyTorch can use")
    keep_memory()
    serve(PyTorch() if options.device == "cpu" and not options.tf32 else OnDevice(options.device, options.tf32))


if __name__ == "__main__":
    main()
