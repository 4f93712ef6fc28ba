"""CUDA answered by the CPU: a made-up H100 whose tensors live in main memory."""

import contextlib
import types

import torch
from torch.overrides import TorchFunctionMode

from . import inert

DEVICES = 8

_PROPERTIES = types.SimpleNamespace(
    name="NVIDIA H100 80GB HBM3",
    major=9,
    minor=0,
    total_memory=80 * 1024**3,
    multi_processor_count=132,
    warp_size=32,
    max_threads_per_multi_processor=2048,
    regs_per_multiprocessor=65536,
    shared_memory_per_multiprocessor=233472,
    gcnArchName="",
)


def _on_cpu(value):
    """`value` with a CUDA device (by object, name or bare index under a device keyword) made 'cpu'."""
    if isinstance(value, torch.device):
        return torch.device("cpu") if value.type == "cuda" else value
    if isinstance(value, str) and (value == "cuda" or value.startswith("cuda:")):
        return "cpu"
    return value


class _Redirect(TorchFunctionMode):
    """Sends every tensor that would be made on or moved to CUDA to the CPU."""

    def __torch_function__(self, func, _types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name == "cuda" and args:
            return args[0]
        if func is torch.device:
            return torch.device("cpu") if type(args[0]) is int else _on_cpu(func(*args, **kwargs))
        if name in ("is_cuda", "__get__") or not (args or kwargs):
            return func(*args, **kwargs)
        if "device" in kwargs:
            device = kwargs["device"]
            kwargs["device"] = "cpu" if type(device) is int else _on_cpu(device)
        kwargs.pop("pin_memory", None)
        if name in ("to", "pin_memory", "to_empty"):
            args = args[:1] + tuple(_on_cpu(a) for a in args[1:])
            if name == "pin_memory":
                return args[0]
        return func(*args, **kwargs)


class _Stream:
    """A stream or event on which nothing ever waits."""

    def __init__(self, *_args, **_kwargs):
        self.cuda_stream = 0
        self.device = torch.device("cpu")

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *a, **k: 0.0 if name == "elapsed_time" else (True if name == "query" else None)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        return None


class _Generator(torch.Generator):
    """A generator that also has the calls only CUDA's know."""

    def graphsafe_get_state(self):
        return self

    def graphsafe_set_state(self, state):
        return self

    def clone_state(self):
        return self


class _DeviceGuard:
    def __init__(self, *_args, **_kwargs):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        return None


def _always(value):
    """A new function of any arguments with that answer (torch._dynamo keys its tables by function object)."""
    return lambda *_args, **_kwargs: value


def _install_triton_driver():
    """Kernels decorated for autotuning ask for a driver when they are defined; nothing is ever launched."""
    try:
        from triton.runtime import driver
    except ImportError:
        return
    driver.set_active(inert.Inert())


def _uncompiled(function=None, *_args, **_kwargs):
    """torch.compile, bare or with arguments, as a decorator that leaves the function as it is."""
    return function if function is not None else lambda f: f


def install():
    """Replace the entry points of `torch.cuda` and start redirecting devices."""
    cuda = torch.cuda
    generators = tuple(_Generator() for _ in range(DEVICES))
    stream = _Stream()
    answers = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "is_bf16_supported": lambda *a, **k: True,
        "is_current_stream_capturing": lambda: False,
        "device_count": lambda: DEVICES,
        "current_device": lambda: 0,
        "get_device_properties": lambda *a, **k: _PROPERTIES,
        "get_device_capability": lambda *a, **k: (9, 0),
        "get_device_name": lambda *a, **k: _PROPERTIES.name,
        "get_arch_list": lambda: ["sm_90"],
        "current_stream": lambda *a, **k: stream,
        "default_stream": lambda *a, **k: stream,
        "stream": lambda *a, **k: contextlib.nullcontext(),
        "Stream": _Stream,
        "Event": _Stream,
        "ExternalStream": _Stream,
        "device": _DeviceGuard,
        "default_generators": generators,
        "_lazy_init": _always(None),
        "_lazy_call": lambda function, **k: function(),
        "get_rng_state": lambda *a, **k: generators[0].get_state(),
        "set_rng_state": lambda state, *a, **k: generators[0].set_state(state),
        "manual_seed": lambda seed: generators[0].manual_seed(seed) and None,
        "manual_seed_all": _always(None),
        "seed": _always(None),
        "initial_seed": _always(0),
        "mem_get_info": lambda *a, **k: (_PROPERTIES.total_memory, _PROPERTIES.total_memory),
        "memory_stats": lambda *a, **k: {},
        "temperature": _always(0),
        "power_draw": _always(0),
        "utilization": _always(0),
        "clock_rate": _always(0),
    }
    for name in ("set_device", "set_stream", "synchronize", "empty_cache", "ipc_collect", "init",
                 "reset_peak_memory_stats", "reset_max_memory_allocated"):
        answers[name] = _always(None)
    for name in ("memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved",
                 "memory_cached", "max_memory_cached"):
        answers[name] = _always(0)
    for name, answer in answers.items():
        setattr(cuda, name, answer)
        for part in ("random", "memory", "streams"):
            module = getattr(cuda, part, None)
            if module is not None and hasattr(module, name):
                setattr(module, name, answer)
    for kind in ("Float", "Half", "BFloat16", "Double", "Int", "Long", "Byte", "Bool", "Short", "Char"):
        setattr(cuda, f"{kind}Tensor", getattr(torch, f"{kind}Tensor"))
    for name in ("range_push", "range_pop", "mark", "range_start", "range_end"):
        setattr(cuda.nvtx, name, _always(None))
    torch.Tensor.cuda = lambda self, *a, **k: self
    torch.nn.Module.cuda = lambda self, *a, **k: self
    torch.compile = _uncompiled
    _install_triton_driver()
    if not hasattr(torch, "float8_e8m0fnu"):  # a name of torch 2.7 that newer code looks up while it is imported
        torch.float8_e8m0fnu = torch.uint8
    mode = _Redirect()
    mode.__enter__()
    return mode
