"""Record what launches with --yaml-cfg build, and which settings Megatron-LM reads on the way.

    python yaml_config.py --tag core_v0.12.0 --megatron DIR --te DIR --te-version 2.2 out.jsonl

Each launch has a file that holds everything the version knows: the fields of TransformerConfig below `language_model`,
those of ModelParallelConfig below `model_parallel`, all other arguments with their defaults at the top, then the changes
of one case. The record holds that file's text, `read`: the attributes that were read without a default before the
model was there, and what record.py notes of the ranks. `fields` are the fields of TransformerConfig.
"""

import argparse
import dataclasses
import dis
import json
import os
import random
import sys
import tempfile
import types

import record

# What makes a launch complete, whatever the case.
BASE = {
    "language_model": {"num_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "activation_func": "swiglu",
                       "add_bias_linear": False, "bias_swiglu_fusion": True, "hidden_dropout": 0.0,
                       "attention_dropout": 0.0},
    "model_parallel": {"bf16": True, "overlap_p2p_comm": False, "pipeline_model_parallel_split_rank": None},
    # use_dist_ckpt and skipped_train_samples: validate_args would have added them, validate_yaml does not.
    "": {"micro_batch_size": 1, "seq_length": 32, "max_position_embeddings": 32, "train_iters": 2, "lr": 1.0e-4,
         "min_lr": 1.0e-5, "tokenizer_type": "NullTokenizer", "vocab_size": 99, "use_dist_ckpt": False,
         "skipped_train_samples": 0, "position_embedding_type": "rope", "mock_data": True, "transformer_impl": "transformer_engine",
         "split": "99,1,0"},
}

# A setting that is left out.
ABSENT = "<absent>"

# Name -> settings by section; "" is the top.
MOE = {"num_moe_experts": 4, "moe_router_topk": 2}
CASES = {
    "dense": {},
    "dense-local": {"": {"transformer_impl": "local"}},
    "gelu-bias": {"language_model": {"activation_func": "gelu", "add_bias_linear": True}},
    "squared-relu": {"language_model": {"activation_func": "squaredrelu", "ffn_hidden_size": 192}},
    "groups": {"language_model": {"num_query_groups": 2, "add_qkv_bias": True}},
    "norm": {"language_model": {"normalization": "RMSNorm", "qk_layernorm": True}},
    "norm-top": {"": {"normalization": "RMSNorm"}, "language_model": {"normalization": None}},
    "learned": {"": {"position_embedding_type": "learned_absolute"}},
    "untied": {"": {"untie_embeddings_and_output_weights": True}},
    "fp16": {"model_parallel": {"bf16": False, "fp16": True}},
    "params-dtype": {"model_parallel": {"bf16": False}},
    "tp2": {"model_parallel": {"tensor_model_parallel_size": 2}, "world": 2},
    "tp4-of-2": {"model_parallel": {"tensor_model_parallel_size": 4}, "world": 2},
    "pp2": {"model_parallel": {"pipeline_model_parallel_size": 2}, "language_model": {"num_layers": 4}, "world": 2},
    "pp4-virtual": {"model_parallel": {"pipeline_model_parallel_size": 4, "overlap_p2p_comm": True},
                    "language_model": {"num_layers": 8}, "": {"num_layers_per_virtual_pipeline_stage": 1}, "world": 4},
    "pp2-virtual": {"model_parallel": {"pipeline_model_parallel_size": 2},
                    "language_model": {"num_layers": 4}, "": {"num_layers_per_virtual_pipeline_stage": 1}, "world": 2},
    "moe": {"language_model": MOE},
    "moe-local": {"language_model": MOE, "": {"transformer_impl": "local"}},
    "moe-grouped": {"language_model": {**MOE, "moe_grouped_gemm": True}},
    "moe-grouped-legacy": {"language_model": {**MOE, "moe_grouped_gemm": True, "moe_use_legacy_grouped_gemm": True}},
    "moe-shared": {"language_model": {**MOE, "moe_shared_expert_intermediate_size": 96, "moe_ffn_hidden_size": 48}},
    "moe-freq": {"language_model": {**MOE, "moe_layer_freq": [0, 1]}},
    "moe-bias": {"language_model": {**MOE, "moe_router_enable_expert_bias": True,
                                    "moe_router_score_function": "sigmoid"}},
    "moe-ep2": {"language_model": MOE, "model_parallel": {"expert_model_parallel_size": 2}, "world": 2},
    "moe-tp2": {"language_model": MOE, "model_parallel": {"tensor_model_parallel_size": 2, "sequence_parallel": True},
                "world": 2},
    "moe-tp2-alone": {"language_model": MOE, "model_parallel": {"tensor_model_parallel_size": 2}, "world": 2},
    "moe-zero": {"language_model": {"num_moe_experts": 0}},
    "moe-spec": {"language_model": MOE, "": {"spec": ["a", "b"]}},
    "mla": {"language_model": {"multi_latent_attention": True}},
    "mla-moe": {"language_model": {**MOE, "multi_latent_attention": True, "qk_layernorm": True}},
    "mtp": {"language_model": {"mtp_num_layers": 1}},
    "ep-dense": {"model_parallel": {"expert_model_parallel_size": 2}, "world": 2},
    "ep-odd": {"language_model": {"num_moe_experts": 3, "moe_router_topk": 2},
               "model_parallel": {"expert_model_parallel_size": 2}, "world": 2},
    "heads-odd": {"language_model": {"num_attention_heads": 3}},
    "no-hidden": {"language_model": {"hidden_size": None}},
    "no-layers": {"language_model": {"num_layers": None}},
    "encoder-layers": {"language_model": {"num_layers": None}, "": {"encoder_num_layers": 2}},
    "both-layers": {"": {"encoder_num_layers": 2}},
    "short-positions": {"": {"max_position_embeddings": 16}},
    "no-batch": {"": {"micro_batch_size": None}},
    "samples-too": {"": {"train_samples": 5}},
    "activation-unknown": {"language_model": {"activation_func": "relu"}},
    "recompute": {"language_model": {"recompute_granularity": "selective", "recompute_method": "block"}},
    "text-number": {"": {"lr": "1e-4"}},
    "world3-tp2": {"model_parallel": {"tensor_model_parallel_size": 2}, "world": 3},
    "save-no-interval": {"": {"save": "/tmp/x", "save_interval": None}},
    "weight-decay": {"": {"weight_decay_incr_style": "linear"}},
    "interleaved-fused": {"language_model": {"rotary_interleaved": True, "apply_rope_fusion": True}},
    "twice": {"": {"num_layers": 2}},
    "padded": {"": {"vocab_size": 1000, "make_vocab_size_divisible_by": 64}},
    "heads-wide": {"language_model": {"kv_channels": 32}},
    "expert-tp": {"language_model": MOE, "model_parallel": {"tensor_model_parallel_size": 2, "sequence_parallel": True,
                  "expert_tensor_parallel_size": 1}, "world": 2},
    # A name that one reader looks for at the top and another below language_model.
    "embedding-stage-twice": {"": {"account_for_embedding_in_pipeline_split": False}},
    "embedding-stage-top": {"": {"account_for_embedding_in_pipeline_split": False},
                            "language_model": {"account_for_embedding_in_pipeline_split": ABSENT}},
    "positions-twice": {"": {"max_position_embeddings": 32}, "language_model": {"max_position_embeddings": 32}},
    "positions-below": {"": {"max_position_embeddings": ABSENT}, "language_model": {"max_position_embeddings": 32}},
    "no-embedding-type": {"": {"position_embedding_type": ABSENT}},
    "no-window": {"language_model": {"window_size": ABSENT}},
    "no-section": {"model_parallel": ABSENT},
    "no-params-dtype": {"model_parallel": {"params_dtype": ABSENT}},
    "no-params-dtype-fp32": {"model_parallel": {"params_dtype": ABSENT, "bf16": False}},
    "no-overlap": {"model_parallel": {"overlap_p2p_comm": ABSENT}},
    "no-sequence-parallel": {"model_parallel": {"sequence_parallel": ABSENT}},
    "no-sequence-parallel-tp2": {"model_parallel": {"sequence_parallel": ABSENT, "tensor_model_parallel_size": 2},
                                 "world": 2},
    "no-tokenizer": {"": {"tokenizer_type": ABSENT, "vocab_size": None}},
    "no-adam": {"": {"adam_beta1": ABSENT, "optimizer": ABSENT}},
    "added-twice": {"": {"virtual_pipeline_model_parallel_size": None}},
    "gated-gelu": {"language_model": {"activation_func": "gelu", "gated_linear_unit": True}},
    "expert-tp-moe-odd": {"language_model": {**MOE, "moe_router_topk": 8}},
    "text-size": {"language_model": {"hidden_size": "64"}},
    "odd-batch": {"": {"global_batch_size": 3, "micro_batch_size": 2}},
    "first-stage": {"language_model": {"num_layers": 3, "first_pipeline_num_layers": 1},
                    "model_parallel": {"pipeline_model_parallel_size": 2}, "world": 2},
    "no-topk": {"language_model": {"moe_router_topk": ABSENT}},
    "no-vocab": {"": {"vocab_size": None}},
    "params-dtype-pp2": {"model_parallel": {"bf16": False, "pipeline_model_parallel_size": 2}, "world": 2},
    "encoder-layers-virtual": {"model_parallel": {"pipeline_model_parallel_size": 4},
                               "language_model": {"num_layers": None},
                               "": {"num_layers_per_virtual_pipeline_stage": 1, "encoder_num_layers": 8}, "world": 4},
    "cp2": {"model_parallel": {"context_parallel_size": 2}, "world": 2},
}

READ = set()
# Those that are asked for by name: `getattr`, `hasattr`.
ASKED = set()


class Traced(types.SimpleNamespace):
    """Notes what is read of it in the form `args.name`."""

    def __getattribute__(self, name):
        if not name.startswith("__"):
            frame = sys._getframe(1)
            op = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            (READ if op in ("LOAD_ATTR", "LOAD_METHOD") else ASKED).add(name)
        return super().__getattribute__(name)


def plain(value):
    """`value` as YAML can hold it; what it cannot is left empty."""
    if type(value) in (str, int, float, bool, type(None)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return None


def defaults(fields):
    out = {}
    for field in fields:
        value = field.default
        if value is dataclasses.MISSING:
            made = field.default_factory is not dataclasses.MISSING
            value = field.default_factory() if made else None
        out[field.name] = plain(value)
    return out


def complete(parser):
    """Everything that this version knows, by section."""
    from megatron.core import ModelParallelConfig
    from megatron.core.transformer import TransformerConfig

    parallel = defaults(dataclasses.fields(ModelParallelConfig))
    model = defaults(dataclasses.fields(TransformerConfig))
    top = {action.dest: plain(action.default) for action in parser._actions if action.dest not in ("help", "yaml_cfg")}
    return {
        "language_model": {name: value for name, value in model.items() if name not in parallel},
        "model_parallel": parallel,
        "": {name: value for name, value in top.items() if name not in model and name not in parallel},
    }


def settings(everything, case):
    """A file's settings: everything, the base, the changes of a case."""
    out = {section: dict(values) for section, values in everything.items()}
    for changes in (BASE, {name: value for name, value in case.items() if name != "world"}):
        for section, values in changes.items():
            if values == ABSENT:
                out.pop(section)
                continue
            for name, value in values.items():
                if changes is BASE:
                    for home in out.values():
                        home.pop(name, None)
                if value == ABSENT:
                    out[section].pop(name, None)
                else:
                    out[section][name] = value
    top = out.pop("")
    return {**out, **top}


def mixed(count, seed, names):
    """Random mixtures of two to four of these cases."""
    pick = random.Random(seed)
    for number in range(count):
        chosen = pick.sample(names, pick.randint(2, 4))
        out = {}
        for name in chosen:
            for section, values in CASES[name].items():
                if section == "world":
                    out["world"] = max(out.get("world", 1), values)
                elif values == ABSENT or out.get(section) == ABSENT:
                    out[section] = ABSENT
                else:
                    out.setdefault(section, {}).update(values)
        yield f"mixed-{seed}-{number}: " + " ".join(chosen), out


def run(megatron, path, rank, world, seen, old):
    import build
    from megatron.training import yaml_arguments

    yaml_arguments.SimpleNamespace = Traced
    argv = ["--yaml-cfg", path] + (["--use-mcore-models"] if old else [])
    out = build.run(megatron, argv, rank, world, seen)
    out["read"] = sorted(READ)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", required=True)
    parser.add_argument("--megatron", required=True)
    parser.add_argument("--te", required=True)
    parser.add_argument("--te-version", required=True)
    parser.add_argument("--only", help="comma-separated cases")
    parser.add_argument("--mixed", type=int, default=0, help="that many mixtures of cases instead")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("out")
    given = parser.parse_args()
    import environment
    import flags

    with tempfile.TemporaryDirectory() as scratch:
        version = given.te_version if given.te_version.count(".") > 1 else f"{given.te_version}.0"
        environment.prepare(given.megatron, te=(given.te, version), apex=True, scratch=scratch)
        import build
        import yaml
        from megatron.core.transformer import TransformerConfig

        null = os.open(os.devnull, os.O_RDWR)
        kept = os.dup(1)
        os.dup2(null, 1)
        live = flags.live_parser(given.megatron)
        os.dup2(kept, 1)
        everything = complete(live)
        build.warm(given.megatron)
        old = given.tag in ("core_v0.6.0", "core_v0.7.0")
        fields = [field.name for field in dataclasses.fields(TransformerConfig)]
        with open(given.out, "w") as out:
            names = given.only.split(",") if given.only else list(CASES)
            chosen = mixed(given.mixed, given.seed, names) if given.mixed else [(name, CASES[name]) for name in names]
            for name, case in chosen:
                world = case.get("world", 1)
                made = settings(everything, case)
                text = yaml.safe_dump(made, sort_keys=False, width=100)
                path = os.path.join(scratch, "config.yaml")
                with open(path, "w") as file:
                    file.write(text)
                entry = {"name": name, "megatron": given.tag, "te": given.te_version, "world": world,
                         "argv": ["--yaml-cfg", "config.yaml"] + (["--use-mcore-models"] if old else []),
                         "apex": True, "yaml": text, "fields": fields, "read": []}
                seen, ranks, args, read = [], [], None, set()
                for rank in range(world):
                    result, stderr = record._fork(lambda: run(given.megatron, path, rank, world, seen, old))
                    if result is None:
                        entry["crashed"] = stderr[-2000:]
                        break
                    read.update(result["read"])
                    if "rejected" in result:
                        entry.update(failed_rank=rank, rejected=result["rejected"])
                        break
                    if "rank" in result:
                        seen.append(result["place"])
                        ranks.append(result["rank"])
                        args = args or result["args"]
                else:
                    entry.update(args=args, ranks=ranks)
                entry["read"] = sorted(read)
                print(json.dumps(entry, separators=(",", ":")), file=out, flush=True)
                print(name, entry.get("rejected") or entry.get("crashed", "built")[-300:], file=sys.stderr)


if __name__ == "__main__":
    main()
