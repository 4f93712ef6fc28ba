"""Turn recorded launches (argv and the validated args) into the form that parses.py writes.

    python launches.py --flags ../flags/core_v0.12.0.json.gz expect/core_v0.12.0.jsonl ... > launches-core_v0.12.0.json

What `validate_args` changes says nothing about the parser: those dests are listed as `ignored` and left out. Launches
that something behind the parser refused are left out, too.
"""

import argparse
import gzip
import json
import sys

ERROR = "pretrain_gpt.py: error: "

# validate_args derives them from other arguments, converts them (dtypes) or deletes them (deprecated ones); the world
# size is read from the environment.
CHANGED = """
accumulate_allreduce_grads_in_fp32 add_qkv_bias align_param_gather apply_rope_fusion async_strategy
async_tensor_model_parallel_allreduce batch_size bias_gelu_fusion check_for_nan_in_loss_and_grad checkpoint_activations
cuda_graph_scope_deprecated dataloader_type encoder_num_layers encoder_seq_length end_weight_decay eval_global_batch_size
eval_micro_batch_size exp_avg_dtype exp_avg_sq_dtype expert_tensor_parallel_num_weight_shards expert_tensor_parallel_size
ffn_hidden_size global_batch_size inference_cuda_graph_scope inprocess_active_world_size kv_channels main_grads_dtype
main_params_dtype mamba_inference_conv_states_dtype mamba_inference_ssm_states_dtype megatron_fsdp_grad_comm_dtype
megatron_fsdp_main_grads_dtype megatron_fsdp_main_params_dtype model_parallel_size moe_ffn_hidden_size
moe_router_load_balancing_type overlap_p2p_comm padded_vocab_size recompute_activations start_weight_decay
tensor_parallel_num_weight_shards warmup
""".split()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--flags", required=True)
    options.add_argument("records", nargs="+")
    given = options.parse_args()
    with gzip.open(given.flags) as file:
        dump = json.load(file)
    defaults = {}
    for action in dump["actions"]:
        defaults.setdefault(action["dest"], action["default"])
    runs = {}
    for path in given.records:
        with open(path) as lines:
            for record in map(json.loads, lines):
                run = {"argv": record["argv"]}
                if (record.get("stderr_last") or "").startswith(ERROR):
                    run.update(code=2, error=record["stderr_last"].removeprefix(ERROR))
                elif "args" in record:
                    values = {dest: record["args"].get(dest) for dest in defaults if dest != "help" and dest not in CHANGED}
                    changed = {dest: v for dest, v in values.items() if repr(v) != repr(defaults[dest])}
                    if "attention_backend" in changed:
                        changed["attention_backend"] = changed["attention_backend"].removeprefix("AttnBackend.")
                    run.update(extras=[], arguments=changed)
                else:
                    continue
                runs[json.dumps(run["argv"])] = run
    json.dump({"tag": dump["tag"], "allow_abbrev": False, "ignored": CHANGED, "runs": list(runs.values())}, sys.stdout,
              separators=(",", ":"))


if __name__ == "__main__":
    main()
