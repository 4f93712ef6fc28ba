"""Transformer Engine: its own python part over an inert native extension."""

import ctypes
import importlib.metadata
import importlib.util
import os
import re
import shutil
import sys

from . import inert, packages

_NATIVE = ("transformer_engine_torch", "transformer_engine_extensions", "transformer_engine_cuda")
_CUDNN = 90100
_ANSWERS = {
    "get_cudnn_version": lambda *a: _CUDNN,
    "get_cublasLt_version": lambda *a: 120500,
    "get_num_cublas_streams": lambda *a: 4,
    "device_supports_multicast": lambda *a: False,
    "ubuf_built_with_mpi": lambda *a: False,
    "nvshmem_init": lambda *a: None,
}


def _write_metadata(folder, name, version):
    info = os.path.join(folder, f"{name.replace('-', '_')}-{version}.dist-info")
    os.makedirs(info)
    with open(os.path.join(info, "METADATA"), "w") as file:
        file.write(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    with open(os.path.join(info, "RECORD"), "w") as file:
        file.write(f"{os.path.basename(info)}/METADATA,,\n")
    with open(os.path.join(info, "INSTALLER"), "w") as file:
        file.write("pip\n")


def _blank_library(folder, name):
    with open(os.path.join(folder, name), "wb"):
        pass


def install(te, scratch):
    """Lay out `scratch` as a site directory and put it first on the path.

    `te` is None (the package cannot be imported) or (checkout, full version).
    """
    for name, version in packages.METADATA.items():
        _write_metadata(scratch, name, version)
    sys.path.insert(0, scratch)
    if te is None:
        inert.refuse(("transformer_engine",) + _NATIVE)
        return
    checkout, version = te
    shutil.copytree(os.path.join(checkout, "transformer_engine"), os.path.join(scratch, "transformer_engine"))
    with open(os.path.join(scratch, "transformer_engine", "_version.py"), "w") as file:
        file.write(f"__version__ = {version!r}\n")
    _write_metadata(scratch, "transformer-engine", version)
    for name in ("libtransformer_engine.so", "transformer_engine_torch.cpython.so"):
        _blank_library(scratch, name)
    cuda = os.path.join(scratch, "cuda")
    os.makedirs(cuda)
    for name in ("libcudnn.so", "libnvrtc.so", "libcurand.so"):
        _blank_library(cuda, name)
    os.environ["CUDA_HOME"] = cuda
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (scratch, os.environ.get("PYTHONPATH"))))
    os.environ["NVTE_FRAMEWORK"] = "pytorch"
    answers = {**_ANSWERS, "__all__": sorted(_ANSWERS.keys() | _names_used(scratch))}
    inert.provide(_NATIVE, {name: answers for name in _NATIVE})
    inert.provide(("onnx", "onnxscript"))
    inert.refuse(("jax", "paddle", "transformer_engine_jax", "transformer_engine_paddle"))
    _replace_library_loading(answers)


def _names_used(folder):
    """What the python part reads from the extension or re-exports from it (it star-imports it in places)."""
    names = {"FP8TensorMeta", "FP8FwdTensors", "FP8BwdTensors"}
    for place, _, files in os.walk(os.path.join(folder, "transformer_engine")):
        for file in files:
            if file.endswith(".py"):
                with open(os.path.join(place, file), encoding="utf-8") as text:
                    names.update(re.findall(r"\btex\.([A-Za-z]\w*)", text.read()))
    return names


def _replace_library_loading(answers):
    """Shared objects of CUDA and of Transformer Engine load as inert objects."""
    real_cdll, real_spec = ctypes.CDLL, importlib.util.spec_from_file_location
    names = ("transformer_engine", "cudnn", "nvrtc", "curand", "cublas", "cudart")

    class CDLL(real_cdll):
        def __new__(cls, name=None, *args, **kwargs):
            if name is not None and any(n in os.path.basename(str(name)) for n in names):
                return inert.Inert()
            return real_cdll(name, *args, **kwargs)

    def spec_from_file_location(name, location=None, *args, **kwargs):
        if name in _NATIVE:
            return importlib.util.spec_from_loader(name, inert.Loader({name: answers}))
        return real_spec(name, location, *args, **kwargs)

    ctypes.CDLL = CDLL
    importlib.util.spec_from_file_location = spec_from_file_location
