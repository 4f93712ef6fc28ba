"""Puts one process into the state of a training node that has no GPU work to do."""

import os
import sys
import warnings


def prepare(megatron, te, apex, scratch):
    """Install the stand-ins and make `megatron` importable.

    `te` is None or (directory of a Transformer Engine checkout, its version); `scratch` is an
    empty directory that stays alive as long as the process.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["CUDA_DEVICE_MAX_CONNECTIONS"] = "1"
    os.environ.setdefault("TRITON_INTERPRET", "0")
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = "localhost", "29500"
    warnings.filterwarnings("ignore")
    import typing
    import typing_extensions

    if not hasattr(typing, "override"):  # Megatron-LM from core_v0.18.0 on is written for Python 3.12
        typing.override = typing_extensions.override
    import torch

    torch.set_num_threads(1)
    from stand_ins import cuda, packages, process_groups
    from stand_ins import transformer_engine as te_stand_in

    cuda.install()
    process_groups.install()
    packages.install(apex=apex)
    te_stand_in.install(te, scratch)
    sys.path.insert(0, os.path.abspath(megatron))
    if te is not None:
        import transformer_engine.pytorch  # noqa: F401 (its package swallows the reason when this fails)
