"""An engine of decorated functions: one an operation."""

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
    dictionary of gradients by name. Where it takes the keyword `wanted`, this names the gradients that are asked for."""
    return Functions._registering(_registered.backward, name)


def prepare(name):
    """Decorates a function that prepares an operation on weights before it is timed. It is given what the forward function
    is, with a Shape in place of each input, and returns a function of the inputs alone."""
    return Functions._registering(_registered.prepare, name)


class _Call:
    """The arguments of one call, as the function's signature takes them."""

    def __init__(self, function, case, tensors, first=(), extra=None):
        self.function, self.first = function, first
        parameters = inspect.signature(function).parameters.values()
        takes_any = any(p.kind == p.VAR_KEYWORD for p in parameters)
        names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        self.keywords = {name: extra[name] for name in (extra or {}) if name in names}
        for name, value in tensors.items():
            # A network's tensors have dots in their names: they need `**tensors`.
            if name not in names and not takes_any:
                raise Unsupported(f"{case.operation} with {name}, which {function.__name__} does not take")
            self.keywords[name] = value
        for name, value in keywords(case).items():
            if name in names or takes_any:
                self.keywords[name] = value
            elif differs_from_default(case.operation, name, value):
                raise Unsupported(f"{case.operation} with {name} = {value}, which {function.__name__} does not take")

    def __call__(self):
        return self.function(*self.first, **self.keywords)


def _all_given(arrays):
    return {name: given(array) for name, array in arrays.items()}


def _main_output(operation):
    return {"cross_entropy": "loss", "resnet": "logits", "training_run": "loss"}.get(
        operation, "trajectory" if operation.endswith("_step") else "y")


class FunctionEngine(Engine):
    """The engine that decorated functions make."""

    def __init__(self, functions, **description):
        for name, value in description.items():
            if not hasattr(Engine, name):
                raise TypeError(f"serve: expected what an Engine says of itself, found {name!r}")
            setattr(self, name, value)
        self.functions = functions
        self.operations = tuple(functions.forward)
        if functions.backward and "passes" not in description:
            self.passes = ("forward", "backward")

    def compute(self, case, passes, threads, wanted=()):
        require_sound(case)
        extra = {"threads": threads}
        tensors = _all_given({**case.inputs, **case.parameters, **case.buffers})
        groups = {}
        if "forward" in passes:
            result = _Call(self.functions.forward[case.operation], case, tensors, extra=extra)()
            groups = self._outputs(case, result)
        if "backward" in passes and case.upstream:
            groups["gradients"] = self._gradients(case, tensors, case.upstream, self._wanted(wanted), threads)()
        return groups

    @staticmethod
    def _wanted(paths):
        return tuple(path.removeprefix("gradients/") for path in paths if path.startswith("gradients/"))

    def _outputs(self, case, result):
        named = result if isinstance(result, dict) else {_main_output(case.operation): result}
        groups = {"outputs": {}}
        for name, value in named.items():
            # A buffer that a function returns under its own name is that buffer afterwards.
            group = "buffers_after" if name in case.buffers else "outputs"
            groups.setdefault(group, {})[name] = to_numpy(value)
        if case.buffers and "buffers_after" not in groups and not case.boolean("training", False):
            groups["buffers_after"] = case.buffers
        return groups

    def _gradients(self, case, tensors, upstream, wanted, threads):
        function = self.functions.backward.get(case.operation)
        if function is None:
            raise Unsupported(f"gradients of {case.operation}")
        cotangent = given(next(iter(upstream.values())))
        extra = {"threads": threads} | ({"wanted": wanted} if wanted else {})
        call = _Call(function, case, tensors, first=(cotangent,), extra=extra)
        return lambda: {name: to_numpy(value) for name, value in call().items() if value is not None}

    def prepare(self, case, timed_pass, layout, threads):
        require_sound(case)
        if layout != "nchw":
            raise Unsupported(f"layout {layout}")
        if timed_pass in ("forward", "inference"):
            return self._prepare_forward(case, threads)
        gradients = {"backward_data": ("x",), "backward_weight": ("weight",)}.get(timed_pass)
        function = self.functions.backward.get(case.operation)
        if gradients is None or function is None:
            raise Unsupported(f"{timed_pass} of {case.operation}")
        if "wanted" not in inspect.signature(function).parameters:
            raise Unsupported(f"{timed_pass}: {function.__name__} takes no `wanted`, and gives every gradient at once")
        return self._prepare_backward(case, gradients, threads, function)

    def _prepare_forward(self, case, threads):
        weights = _all_given({**case.parameters, **case.buffers})
        extra, prepared = {"threads": threads}, None
        if case.operation in self.functions.prepare:
            shapes = {
                name: Shape(array.shape, "bfloat16" if array.dtype == np.uint16 else str(array.dtype))
                for name, array in case.inputs.items()
            }
            function = self.functions.prepare[case.operation]
            prepared = _Call(function, case, {**shapes, **weights}, extra=extra)()

        def bind(inputs, upstream):
            inputs = _all_given(inputs)
            if prepared is None:
                call = _Call(self.functions.forward[case.operation], case, {**inputs, **weights}, extra=extra)
                # What the clock is around is the function itself.
                function, named = call.function, call.keywords
            else:
                function, named = prepared, inputs
            return Run(lambda: function(**named), lambda result: {"outputs": self._outputs(case, result)["outputs"]})

        return Prepared(bind, "decorated function" if prepared is None else "decorated function, prepared")

    def _prepare_backward(self, case, gradients, threads, function):
        weights = _all_given({**case.parameters, **case.buffers})

        def bind(inputs, upstream):
            cotangent = given(next(iter(upstream.values())))
            call = _Call(
                function, case, {**_all_given(inputs), **weights}, first=(cotangent,),
                extra={"threads": threads, "wanted": gradients})
            return Run(
                call, lambda result: {"gradients": {name: to_numpy(result[name]) for name in gradients}})

        return Prepared(bind, "decorated function")


def serve(engine=None, **description):
    """Answers requests on stdin until they end.

    With an Engine that is served; without one, the decorated functions are, and the keywords describe them: `name`,
    `version`, `dtypes`, `synchronize` (called before the clock is read), or any other member of Engine.
    """
    if engine is not None and description:
        raise TypeError("serve: expected an engine or a description of functions, found both")
    serve_engine(FunctionEngine(_registered, **description) if engine is None else engine)
