"""An engine of decorated functions: one an operation."""

import functools
import inspect
from dataclasses import dataclass

import numpy as np

from .arrays import given, to_numpy
from .attributes import differs_from_default, keywords
from .engine import Engine, Prepared, Run
from .refusals import Unsupported
from .serving import serve_engine
from .soundness import require_sound


@dataclass(frozen=True)
class Shape:
    """What is known of a tensor before its numbers come."""

    shape: tuple
    dtype: str

    @classmethod
    def of(cls, array):
        return cls(array.shape, "bfloat16" if array.dtype == np.uint16 else str(array.dtype))

    @property
    def ndim(self):
        return len(self.shape)


class Functions:
    """The functions that decorators registered, by operation."""

    def __init__(self):
        self.forward, self.backward, self.prepare = {}, {}, {}

    @staticmethod
    def _registering(functions, operation):
        def register(function):
            if operation in functions:
                raise ValueError(f"{operation}: expected one function, found a second, {function.__qualname__}")
            functions[operation] = function
            return function

        return register


_registered = Functions()


def operation(name):
    """Decorates the forward function of an operation: tensors by name, attributes as keywords; returns the output, or a
    dictionary of outputs by name. A layer's problem that has no result is refused before."""
    return Functions._registering(_registered.forward, name)


def backward(name):
    """Decorates the backward function: the output's cotangent first, then what the forward function is given; returns a
    dictionary of gradients by name. Where it takes the keyword `wanted`, it names those that are asked for."""
    return Functions._registering(_registered.backward, name)


def prepare(name):
    """Decorates a function that prepares an operation on weights before it is timed. It is given what the forward
    function is, with a Shape in place of each input, and returns a function of the inputs alone."""
    return Functions._registering(_registered.prepare, name)


def _bound(function, case, tensors, first=(), **extra):
    """The function with the arguments that its signature takes: `extra` where it names them, and every tensor and
    attribute that says anything. The clock is then around the function itself."""
    parameters = inspect.signature(function).parameters.values()
    takes_any = any(p.kind == p.VAR_KEYWORD for p in parameters)
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    arguments = {name: value for name, value in extra.items() if name in names}
    for name, value in tensors.items():
        # A network's tensors have dots in their names: they need `**tensors`.
        if name not in names and not takes_any:
            raise Unsupported(f"{case.operation} with {name}, which {function.__name__} does not take")
        arguments[name] = value
    for name, value in keywords(case).items():
        if name in names or takes_any:
            arguments[name] = value
        elif differs_from_default(case.operation, name, value):
            raise Unsupported(f"{case.operation} with {name} = {value}, which {function.__name__} does not take")
    return functools.partial(function, *first, **arguments)


def _main_output(operation):
    return {"cross_entropy": "loss", "resnet": "logits", "training_run": "loss"}.get(
        operation, "trajectory" if operation.endswith("_step") else "y")


class FunctionEngine(Engine):
    """The engine that decorated functions make. `convert` makes of each array what the functions take."""

    def __init__(self, functions, convert=None, **description):
        for name, value in description.items():
            if not hasattr(Engine, name):
                raise TypeError(f"serve: expected what an Engine says of itself, found {name!r}")
            setattr(self, name, value)
        self.functions, self.convert = functions, convert
        self.operations = tuple(functions.forward)
        if functions.backward and "passes" not in description:
            self.passes = ("forward", "backward")

    def _given(self, *groups):
        arrays = {name: given(array) for group in groups for name, array in group.items()}
        return arrays if self.convert is None else {name: self.convert(array) for name, array in arrays.items()}

    def compute(self, case, passes, threads, wanted=()):
        require_sound(case)
        tensors, groups = self._given(case.inputs, case.parameters, case.buffers), {}
        if "forward" in passes:
            function = self.functions.forward[case.operation]
            groups = self._outputs(case, _bound(function, case, tensors, threads=threads)())
        if "backward" in passes and case.upstream:
            names = tuple(path.removeprefix("gradients/") for path in wanted if path.startswith("gradients/"))
            extra = {"threads": threads} | ({"wanted": names} if names else {})
            cotangents = self._given(case.upstream).values()
            gradients = _bound(self._backward(case), case, tensors, first=cotangents, **extra)()
            groups["gradients"] = {name: to_numpy(value) for name, value in gradients.items() if value is not None}
        return groups

    def _backward(self, case):
        if case.operation not in self.functions.backward:
            raise Unsupported(f"gradients of {case.operation}")
        return self.functions.backward[case.operation]

    @staticmethod
    def _outputs(case, result):
        named = result if isinstance(result, dict) else {_main_output(case.operation): result}
        groups = {"outputs": {}}
        for name, value in named.items():
            # A buffer that a function returns under its own name is that buffer afterwards.
            group = "buffers_after" if name in case.buffers else "outputs"
            groups.setdefault(group, {})[name] = to_numpy(value)
        if case.buffers and "buffers_after" not in groups and not case.boolean("training", False):
            groups["buffers_after"] = case.buffers
        return groups

    def prepare(self, case, timed_pass, layout, threads):
        require_sound(case)
        # Between layers a function keeps arrays as they are: its native layout is NCHW.
        if timed_pass in ("forward", "inference"):
            return self._prepare_forward(case, threads)
        gradient = {"backward_data": "x", "backward_weight": "weight"}.get(timed_pass)
        if gradient is None:
            raise Unsupported(f"{timed_pass} of {case.operation}")
        return self._prepare_backward(case, gradient, threads)

    def _prepare_forward(self, case, threads):
        weights, prepared = self._given(case.parameters, case.buffers), None
        if case.operation in self.functions.prepare:
            shapes = {name: Shape.of(array) for name, array in case.inputs.items()}
            prepared = _bound(self.functions.prepare[case.operation], case, shapes | weights, threads=threads)()

        def call(inputs, upstream):
            if prepared is not None:
                return functools.partial(prepared, **self._given(inputs))
            function = self.functions.forward[case.operation]
            return _bound(function, case, self._given(inputs) | weights, threads=threads)

        return Prepared(
            self._binding(call, lambda result: {"outputs": self._outputs(case, result)["outputs"]}),
            "decorated function" if prepared is None else "decorated function, prepared")

    def _prepare_backward(self, case, gradient, threads):
        function, weights = self._backward(case), self._given(case.parameters, case.buffers)
        if "wanted" not in inspect.signature(function).parameters:
            raise Unsupported(f"one gradient alone: {function.__name__} takes no `wanted`, and gives all at once")

        def call(inputs, upstream):
            return _bound(
                function, case, self._given(inputs) | weights, first=self._given(upstream).values(), threads=threads,
                wanted=(gradient,))

        return Prepared(
            self._binding(call, lambda result: {"gradients": {gradient: to_numpy(result[gradient])}}),
            "decorated function")

    def _binding(self, call, answer):
        """Binds a set's arrays to `call(inputs, upstream)`, again where converted ones have other numbers."""

        def bind(inputs, upstream):
            run = Run(call(inputs, upstream), answer)
            if self.convert is not None:
                def refresh():
                    run.call = call(inputs, upstream)

                run.refresh = refresh
            return run

        return bind


def serve(engine=None, **description):
    """Answers requests on stdin until they end.

    With an Engine, that is served; without one, the decorated functions are. The keywords then describe them: `name`,
    `version`, `dtypes`, `synchronize` (called before the clock is read), `convert` (called on each tensor before the
    functions are, outside the clock: `torch.from_dlpack`, or what brings it to a device), or any other member of
    Engine.
    """
    if engine is not None and description:
        raise TypeError("serve: expected an engine or a description of functions, found both")
    serve_engine(FunctionEngine(_registered, **description) if engine is None else engine)
