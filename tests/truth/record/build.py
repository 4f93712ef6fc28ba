"""Runs pretrain_gpt.py of a Megatron-LM checkout up to the point where its model is built."""

import contextlib
import inspect
import os
import runpy
import sys

import describe


class Built(BaseException):
    """Carries the arguments and the model chunks out of the script (no handler of the script catches it)."""


def warm(megatron):
    """Import everything the script imports, and stop it right behind the model building."""
    runpy.run_path(os.path.join(megatron, "pretrain_gpt.py"), run_name="warm")
    from megatron.training import initialize, training

    def nothing(*_args, **_kwargs):
        return None

    initialize._compile_dependencies = nothing  # compiles dataset helpers and fused kernels
    training.set_jit_fusion_options = nothing  # warms kernels up
    training.get_model = _stop_behind(training.get_model)
    with contextlib.suppress(ImportError, AttributeError):
        from megatron.training.models import gpt

        gpt.GPTModelBuilder.build_distributed_models = _stop_behind(gpt.GPTModelBuilder.build_distributed_models)


def _stop_behind(function):
    signature = inspect.signature(function)

    def wrapped(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.arguments["wrap_with_ddp"] = False
        raise Built(_plain_args(), function(*bound.args, **bound.kwargs))

    return wrapped


def _plain_args():
    from megatron.training import get_args

    return {name: describe.plain(value) for name, value in sorted(vars(get_args()).items())}


def _coordinate(mpu, rank):
    out = {
        "rank": rank,
        "tp": mpu.get_tensor_model_parallel_rank(),
        "pp": mpu.get_pipeline_model_parallel_rank(),
        "ep": mpu.get_expert_model_parallel_rank(),
    }
    if hasattr(mpu, "get_expert_tensor_parallel_rank"):
        out["etp"] = mpu.get_expert_tensor_parallel_rank()
    out["dp"] = mpu.get_data_parallel_rank()
    out["cp"] = mpu.get_context_parallel_rank()
    return out


def _chunks(models, args, mpu, leave_stage):
    from megatron.training import checkpointing

    metadata = None
    if hasattr(checkpointing, "_build_sharded_state_dict_metadata"):
        metadata = checkpointing._build_sharded_state_dict_metadata(args)
    # Up to core_v0.12.0 a chunk looks its stage up in the global state, and saving sets it before each chunk.
    saving = inspect.getsource(checkpointing.generate_state_dict)
    sets_stage = not leave_stage and "set_virtual_pipeline_model_parallel_rank" in saving
    for number, model in enumerate(models):
        if sets_stage and len(models) > 1:
            mpu.set_virtual_pipeline_model_parallel_rank(number)
        yield describe.chunk(model, metadata)


def run(megatron, argv, rank, world, seen, leave_stage=False):
    """What this rank of the launch builds, or how it is refused.

    `seen` holds the coordinates of earlier ranks: a rank that repeats one yields no chunks.
    """
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(world))
    sys.argv = ["pretrain_gpt.py", *argv]
    from megatron.core import mpu

    try:
        runpy.run_path(os.path.join(megatron, "pretrain_gpt.py"), run_name="__main__")
        return {"rejected": "ended without building a model"}
    except Built as built:
        plain_args, models = built.args
    except SystemExit as error:
        return {"rejected": f"SystemExit({error.code})", "exited": True}
    except Exception as error:
        if os.environ.get("RECORD_TRACE"):
            import traceback

            traceback.print_exc()
        return {"rejected": f"{type(error).__name__}: {error}"}
    from megatron.training import checkpointing, get_args

    args = get_args()
    out = _coordinate(mpu, rank)
    place = [out.get(name) for name in ("tp", "pp", "ep", "etp")]
    if place in seen:
        return {"place": place}
    models = models if isinstance(models, list) else [models]
    out["chunks"] = list(_chunks(models, args, mpu, leave_stage))
    out["ckpt_name"] = checkpointing.get_checkpoint_name("", 10).lstrip("/")
    return {"place": place, "rank": out, "args": plain_args}
