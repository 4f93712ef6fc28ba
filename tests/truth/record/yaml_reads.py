"""Record which settings of a --yaml-cfg file Megatron-LM cannot do without, up to a loaded checkpoint.

    python yaml_reads.py --tag core_v0.9.0 --megatron DIR --te DIR --te-version 1.13 --checkpoint DIR out.json

For some launches of yaml_config.py, each setting that was read or asked for is left out in turn. Real model,
optimizer and `load_checkpoint`; the checkpoint directory is made by the launch itself if it is not there. The record
holds, for each launch, the settings whose absence stopped it, with the reason. `tests/truth/yaml-reads.json.gz` has the
`cases` of each version by its tag.
"""

import argparse
import json
import os
import runpy
import sys
import tempfile

import record
import yaml_config


class _Loaded(BaseException):
    """The checkpoint is loaded."""


CASES = {
    "dense": {},
    "dense-local": {"": {"transformer_impl": "local"}, "language_model": {"add_bias_linear": True,
                                                                          "activation_func": "gelu"}},
    "finetune": {"": {"finetune": True}},
    "moe": {"language_model": yaml_config.MOE},
    "fp16": {"model_parallel": {"bf16": False, "fp16": True}},
}


def warm(megatron):
    """Everything imported, kernels and dataset helpers left out, CPU tensors taken for CUDA's."""
    import torch

    real = torch.Tensor.type

    def type_of(self, *args, **kwargs):
        name = real(self, *args, **kwargs)
        if isinstance(name, str) and not name.startswith("torch.cuda."):
            return name.replace("torch.", "torch.cuda.", 1)
        return name

    torch.Tensor.type = type_of
    runpy.run_path(os.path.join(megatron, "pretrain_gpt.py"), run_name="warm")
    from megatron.training import checkpointing, get_args, initialize, training, yaml_arguments

    yaml_arguments.SimpleNamespace = yaml_config.Traced
    initialize._compile_dependencies = lambda *a, **k: None
    training.set_jit_fusion_options = lambda *a, **k: None
    load = training.load_checkpoint

    def load_and_stop(*args, **kwargs):
        done = load(*args, **kwargs)
        if os.environ.get("SAVE_TO"):
            get_args().save = os.environ["SAVE_TO"]
            checkpointing.save_checkpoint(1, args[0], args[1], args[2], 0)
        raise _Loaded(done)

    training.load_checkpoint = load_and_stop


def run(megatron, path, old, save_to=None):
    os.environ.update(RANK="0", WORLD_SIZE="1", LOCAL_RANK="0")
    if save_to:
        os.environ["SAVE_TO"] = save_to
    sys.argv = ["pretrain_gpt.py", "--yaml-cfg", path] + (["--use-mcore-models"] if old else [])
    try:
        runpy.run_path(os.path.join(megatron, "pretrain_gpt.py"), run_name="__main__")
        out = "ended"
    except _Loaded as loaded:
        out = f"loaded {loaded.args[0]}"
    except SystemExit as error:
        out = f"SystemExit({error.code})"
    except Exception as error:
        if os.environ.get("RECORD_TRACE"):
            import traceback

            traceback.print_exc()
        out = f"{type(error).__name__}: {error}"
    return {"result": out, "read": sorted(yaml_config.READ | yaml_config.ASKED)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--tag", "--megatron", "--te", "--te-version", "--checkpoint"):
        parser.add_argument(name, required=True)
    parser.add_argument("--only")
    parser.add_argument("out")
    given = parser.parse_args()
    import environment
    import flags

    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"
    with tempfile.TemporaryDirectory() as scratch:
        version = given.te_version if given.te_version.count(".") > 1 else f"{given.te_version}.0"
        environment.prepare(given.megatron, te=(given.te, version), apex=True, scratch=scratch)
        import yaml

        kept, null = os.dup(1), os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        everything = yaml_config.complete(flags.live_parser(given.megatron))
        os.dup2(kept, 1)
        warm(given.megatron)
        old = given.tag in ("core_v0.6.0", "core_v0.7.0")
        path = os.path.join(scratch, "config.yaml")

        def outcome(made, save_to=None):
            with open(path, "w") as file:
                file.write(yaml.safe_dump(made, sort_keys=False))
            result, stderr = record._fork(lambda: run(given.megatron, path, old, save_to))
            return result or {"result": f"crashed {stderr[-300:]}", "read": []}

        cases = {}
        for name, case in CASES.items():
            if given.only and name not in given.only.split(","):
                continue
            folder = os.path.join(given.checkpoint, name)
            made = yaml_config.settings(everything, case)
            made.update(load=folder, save_interval=5, exit_on_missing_checkpoint=False)
            made["model_parallel"]["gradient_accumulation_fusion"] = False
            if "ckpt_format" in made:
                made["ckpt_format"] = "torch"
            if not os.path.isdir(folder):
                print(name, "saved:", outcome({**made, "save": folder}, folder)["result"], file=sys.stderr)
            whole = outcome(made)
            print(name, whole["result"], file=sys.stderr)
            needed = {}
            for section in ("", "language_model", "model_parallel"):
                values = made if section == "" else made[section]
                for setting in [one for one in values if one in whole["read"] and not isinstance(values[one], dict)]:
                    left = {key: dict(value) if isinstance(value, dict) else value for key, value in made.items()}
                    (left if section == "" else left[section]).pop(setting)
                    result = outcome(left)["result"]
                    if not result.startswith("loaded"):
                        needed[f"{section}.{setting}".lstrip(".")] = result
            cases[name] = {"yaml": yaml.safe_dump(made, sort_keys=False, width=100), "whole": whole["result"],
                           "read": whole["read"], "needed": needed}
    with open(given.out, "w") as file:
        json.dump({"megatron": given.tag, "cases": cases}, file, indent=1, sort_keys=True)


if __name__ == "__main__":
    main()
