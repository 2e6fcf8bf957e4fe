"""PyTorch as an engine: eager operations, autograd for gradients; timed in inference mode with the fastest of its layouts."""

import os

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils import mkldnn

from assay_engine import Engine, Refused, Unsupported, fastest, serve


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


def _batch_norm(c, x, p, b):
    if x.dim() != 4:  # what torch.nn.BatchNorm2d checks and the function leaves out
        raise Refused("shape_mismatch", f"expected 4D input (got {x.dim()}D input)")
    momentum = c.real("momentum", 0.1)
    training = c.boolean("training", False)
    tracked = b.get("num_batches_tracked")
    if training and tracked is not None:
        tracked += 1
        if np.isnan(momentum):
            momentum = 1.0 / float(tracked)
    statistics = "running_mean" in b
    batch_statistics = training or not statistics
    eps = c.real("eps", 1e-5)
    if batch_statistics and eps == 0:
        raise Unsupported("PyTorch normalises by a batch's statistics with eps > 0 alone")
    return F.batch_norm(
        x, b.get("running_mean"), b.get("running_var"), p.get("weight"), p.get("bias"),
        batch_statistics, 0.0 if np.isnan(momentum) else momentum, eps)


def _upsample(c, x, p, b):
    mode = c.string("mode", "nearest")
    size = c.pair("size", 0) if "size" in c.attributes else None
    scale = c.attributes.get("scale_factor")
    # With neither or both, PyTorch is what refuses.
    scale = None if scale is None else tuple(float(v) for v in np.broadcast_to(scale, 2))
    # PyTorch takes no value at all where the mode does not interpolate, and refuses what is asked there.
    corners = c.boolean("align_corners", False)
    align = corners if mode == "bilinear" or corners else None
    return F.interpolate(x, size=size, scale_factor=scale, mode=mode, align_corners=align)


def _cross_entropy(c, x, p, b):
    target = _tensor(c.inputs["target"])
    if x.dtype in SIXTEEN:
        # The loss of an exercise of 16 bits is float32, and so are the class weights: as under PyTorch's autocast.
        x = x.float()
        target = target.float() if target.is_floating_point() else target
    return F.cross_entropy(
        x, target, weight=p.get("weight"), reduction=c.string("reduction", "mean"),
        ignore_index=c.integer("ignore_index", -100), label_smoothing=c.real("label_smoothing", 0.0))


def _max_pool(c, x, p, b):
    kernel = c.pair("kernel_size", 0)
    return F.max_pool2d(
        x, kernel, c.pair("stride", kernel), c.pair("padding", 0), c.pair("dilation", 1),
        c.boolean("ceil_mode", False), return_indices=True)


def _avg_pool(c, x, p, b):
    kernel = c.pair("kernel_size", 0)
    divisor = c.integer("divisor_override", 0) if "divisor_override" in c.attributes else None
    return F.avg_pool2d(
        x, kernel, c.pair("stride", kernel), c.pair("padding", 0), c.boolean("ceil_mode", False),
        c.boolean("count_include_pad", True), divisor)


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


def _conv(c, x, p, b):
    return F.conv2d(
        x, p["weight"], p.get("bias"), c.pair("stride", 1), c.padding(), c.pair("dilation", 1), c.integer("groups", 1))


def _conv_transpose(c, x, p, b):
    return F.conv_transpose2d(
        x, p["weight"], p.get("bias"), c.pair("stride", 1), c.pair("padding", 0), c.pair("output_padding", 0),
        c.integer("groups", 1), c.pair("dilation", 1))


def _affine(x, p, shape):
    """Weight and bias of a norm. Beside an x of 16 bits PyTorch takes a float32 bias only where there is a weight, too."""
    weight, bias = p.get("weight"), p.get("bias")
    if weight is None and bias is not None and bias.dtype != x.dtype:
        weight = torch.ones(shape, dtype=bias.dtype)
    return weight, bias


def _group_norm(c, x, p, b):
    # The function beneath F.group_norm, which refuses a single value a channel as if it were a batch norm.
    return torch.group_norm(x, c.integer("num_groups", 0), *_affine(x, p, x.shape[1:2]), c.real("eps", 1e-5))


def _layer_norm(c, x, p, b):
    dims = c.integer("normalized_dims", 0)
    if dims < 1:
        raise Refused("invalid_argument", f"normalized_dims: expected 1 or more, found {dims}")
    # With more axes than x has, PyTorch is what refuses.
    shape = (1,) * (dims - x.dim()) + tuple(x.shape[-dims:])
    return F.layer_norm(x, shape, *_affine(x, p, shape), c.real("eps", 1e-5))


OPERATIONS = {
    "conv2d": _conv,
    "conv_transpose2d": _conv_transpose,
    "batch_norm2d": _batch_norm,
    "group_norm": _group_norm,
    "layer_norm": _layer_norm,
    "relu": lambda c, x, p, b: F.relu(x),
    "gelu": lambda c, x, p, b: F.gelu(x, approximate=c.string("approximate", "none")),
    "silu": lambda c, x, p, b: F.silu(x),
    "identity": lambda c, x, p, b: x.clone(),
    "dropout": lambda c, x, p, b: F.dropout(x, training=False),
    "softmax": lambda c, x, p, b: F.softmax(x, dim=1),
    "log_softmax": lambda c, x, p, b: F.log_softmax(x, dim=1),
    "flatten": lambda c, x, p, b: torch.flatten(x, 1),
    "add": lambda c, x, p, b: x + p["other"],
    "scaled_add": lambda c, x, p, b: torch.add(x, p["other"], alpha=c.real("alpha", 1.0)),
    "max_pool2d": _max_pool,
    "avg_pool2d": _avg_pool,
    "adaptive_avg_pool2d": lambda c, x, p, b: F.adaptive_avg_pool2d(x, c.pair("output_size", 0)),
    "upsample2d": _upsample,
    "linear": lambda c, x, p, b: F.linear(x, p["weight"], p.get("bias")),
    "cross_entropy": _cross_entropy,
}


def _tensor(value):
    """A copy; arrays of uint16 are bfloat16's bit patterns."""
    value = np.array(value)
    if value.dtype == np.uint16:
        return torch.from_numpy(value.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(value)


def _array(tensor):
    tensor = tensor.detach()
    return tensor.view(torch.int16).numpy().view(np.uint16) if tensor.dtype == torch.bfloat16 else tensor.numpy()


def _tensors(arrays):
    return {name: _tensor(value) for name, value in arrays.items()}


def _in_type(model, dtype):
    """The model in a type; beside 16 bits, batch norms are float32."""
    model = model.to(dtype)
    if dtype in SIXTEEN:
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.float()
    return model


class PyTorch(Engine):
    name = "pytorch"
    version = torch.__version__
    operations = tuple(OPERATIONS) + ("resnet",)
    dtypes = ("float32", "float64", "float16", "bfloat16")
    passes = ("forward", "backward")
    info = {"mkldnn": str(torch.backends.mkldnn.is_available())}

    def compute(self, case, passes, threads):
        torch.set_num_threads(threads)
        if case.operation == "resnet":
            return self._resnet_outputs(case, passes)
        inputs, parameters, buffers = _tensors(case.inputs), _tensors(case.parameters), _tensors(case.buffers)
        upstream = _tensors(case.upstream)
        _require_definition(case.operation, [*inputs.values(), *parameters.values(), *upstream.values()])
        leaves = {k: v for k, v in {**inputs, **parameters}.items() if v.is_floating_point()}
        if case.operation == "cross_entropy":
            leaves = {"x": inputs["x"]}
        backward = "backward" in passes
        for leaf in leaves.values():
            leaf.requires_grad_(backward)
        try:
            with torch.set_grad_enabled(backward):
                operands = {**parameters, **({"other": inputs["other"]} if "other" in inputs else {})}
                y = OPERATIONS[case.operation](case, inputs["x"], operands, buffers)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            raise _refusal(error) from error
        outputs = {"loss" if case.operation == "cross_entropy" else "y": y}
        if isinstance(y, tuple):
            outputs = {"y": y[0], "indices": y[1]}
        groups = {"outputs": {k: _array(v) for k, v in outputs.items()}}
        if backward and upstream:
            main = next(iter(outputs.values()))
            names = [k for k, v in leaves.items() if v.requires_grad]
            cotangent = next(iter(upstream.values())).to(main.dtype).reshape(main.shape)
            found = torch.autograd.grad(main, [leaves[k] for k in names], cotangent, allow_unused=True)
            groups["gradients"] = {k: _array(g) for k, g in zip(names, found) if g is not None}
        if case.buffers:
            groups["buffers_after"] = {k: _array(v) for k, v in buffers.items()}
        return groups

    def _network(self, case, training):
        import torchvision

        name = case.string("architecture")
        if not hasattr(torchvision.models, name):
            raise Unsupported(f"torchvision has no {name}")
        model = getattr(torchvision.models, name)(weights=None, num_classes=case.integer("num_classes", 1000))
        model = _in_type(model, getattr(torch, case.dtype))
        if case.parameters:
            # Each tensor stays in the type that it came in.
            model.load_state_dict(_tensors({**case.parameters, **case.buffers}), strict=False, assign=True)
        return model.train() if training else model.eval()

    def _resnet_outputs(self, case, passes):
        if "backward" in passes:
            raise Unsupported("gradients of whole networks")
        with torch.no_grad():
            y = self._network(case, case.boolean("training", False))(_tensor(case.inputs["x"]))
        return {"outputs": {"logits": _array(y)}}

    def prepare(self, case, timed_pass, layout, threads):
        torch.set_num_threads(threads)
        if case.operation == "resnet":
            return self._prepare_network(case, timed_pass, layout)
        if case.operation == "conv2d":
            return self._prepare_convolution(case, timed_pass, layout)
        if timed_pass != "forward":
            raise Unsupported(f"{timed_pass} of {case.operation}")
        inputs, parameters, buffers = _tensors(case.inputs), _tensors(case.parameters), _tensors(case.buffers)
        operands = {**parameters, **({"other": inputs["other"]} if "other" in inputs else {})}
        operation = OPERATIONS[case.operation]

        def run():
            with torch.inference_mode():
                return operation(case, inputs["x"], operands, buffers)

        return run, "eager, contiguous"

    def _prepare_convolution(self, case, timed_pass, layout):
        x, w = _tensor(case.inputs["x"]), _tensor(case.parameters["weight"])
        bias = _tensor(case.parameters["bias"]) if "bias" in case.parameters else None
        stride, padding, dilation = case.pair("stride", 1), case.padding(), case.pair("dilation", 1)
        groups = case.integer("groups", 1)
        last = torch.channels_last
        xl, wl = x.contiguous(memory_format=last), w.contiguous(memory_format=last)

        def forward(x, w, convert=None):
            def run():
                with torch.inference_mode():
                    y = F.conv2d(
                        x if convert is None else x.contiguous(memory_format=convert), w, bias, stride, padding,
                        dilation, groups)
                    return y if convert is None else y.contiguous()
            return run

        if timed_pass == "forward":
            if layout == "nchw":
                return fastest({"eager, contiguous": forward(x, w), "eager, through channels_last": forward(x, wl, last)})
            plain = {"eager, channels_last": forward(xl, wl), "eager, contiguous": forward(x, w)}
            return fastest(plain | self._packed(case, x, w, bias))
        if timed_pass not in ("backward_data", "backward_weight") or isinstance(padding, str):
            raise Unsupported(f"{timed_pass} of this convolution")
        mask = [timed_pass == "backward_data", timed_pass == "backward_weight", False]

        def backward(x, w, dy):
            def run():
                with torch.inference_mode():
                    return torch.ops.aten.convolution_backward(
                        dy, x, w, None, stride, padding, dilation, False, (0, 0), groups, mask)
            return run

        dy = torch.randn_like(F.conv2d(x, w, None, stride, padding, dilation, groups))
        candidates = {"eager, contiguous": backward(x, w, dy)}
        if layout == "native":
            candidates["eager, channels_last"] = backward(xl, wl, dy.contiguous(memory_format=last))
        return fastest(candidates)

    def _packed(self, case, x, w, bias):
        """oneDNN's own blocked layout with packed weights, where it takes the problem."""
        if isinstance(case.padding(), str) or case.dtype != "float32":
            return {}
        try:
            module = torch.nn.Conv2d(
                x.shape[1], w.shape[0], tuple(w.shape[2:]), case.pair("stride", 1), case.pair("padding", 0),
                case.pair("dilation", 1), case.integer("groups", 1), bias=bias is not None)
            module.weight.data = w
            if bias is not None:
                module.bias.data = bias
            packed, blocked = mkldnn.to_mkldnn(module.eval()), x.to_mkldnn()

            def run():
                with torch.inference_mode():
                    return packed(blocked)

            run()
            return {"oneDNN tensors, packed weights": run}
        except RuntimeError:
            return {}

    def _prepare_network(self, case, timed_pass, layout):
        if layout != "nchw":
            raise Unsupported("a whole network starts and ends in NCHW")
        x = _tensor(case.inputs["x"])
        if timed_pass == "training_step":
            return self._training_step(case, x), "eager, channels_last, Adam"
        if timed_pass not in ("forward", "inference"):
            raise Unsupported(f"{timed_pass} of a network")
        model = self._network(case, False)
        traced = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, x)))
        last = self._network(case, False).to(memory_format=torch.channels_last)

        def runner(model, memory_format=None):
            def run():
                with torch.inference_mode():
                    return model(x if memory_format is None else x.contiguous(memory_format=memory_format))
            return run

        return fastest({
            "eager, contiguous": runner(model), "eager, channels_last": runner(last, torch.channels_last),
            "frozen TorchScript, optimised for inference": runner(traced)}, rounds=3)

    def _training_step(self, case, x):
        model = self._network(case, True).to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
        classes = case.integer("num_classes", 1000)
        target = torch.from_numpy(case.inputs["target"]) if "target" in case.inputs else torch.arange(len(x)) % classes
        x = x.contiguous(memory_format=torch.channels_last)

        def run():
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(model(x), target).backward()
            optimizer.step()

        return run


if __name__ == "__main__":
    os.environ.setdefault("KMP_BLOCKTIME", "0")
    serve(PyTorch())
