"""Writes a checkpoint of Mixtral 8x7B's real size as sparse files, to measure a whole check on.

    python mixtral.py DIRECTORY        (torch 2.6 or newer; the data is never written)

Eight expert-parallel ranks, SequentialMLP experts under core 0.8's names, as the launch in mixtral.sh builds them without
--moe-grouped-gemm.
"""

import argparse
import pathlib
import sys

import torch

LAYERS, HIDDEN, FFN, EXPERTS, VOCABULARY = 32, 4096, 14336, 8, 32128
QKV = 128 * (32 + 2 * 8)


def empty(*shape):
    return torch.empty(shape, dtype=torch.bfloat16)


def model():
    state = {"embedding.word_embeddings.weight": empty(VOCABULARY, HIDDEN)}
    for layer in range(LAYERS):
        at = f"decoder.layers.{layer}"
        state[f"{at}.self_attention.core_attention._extra_state"] = None
        state[f"{at}.self_attention.linear_proj.weight"] = empty(HIDDEN, HIDDEN)
        state[f"{at}.self_attention.linear_proj._extra_state"] = None
        state[f"{at}.self_attention.linear_qkv.layer_norm_weight"] = empty(HIDDEN)
        state[f"{at}.self_attention.linear_qkv.weight"] = empty(QKV, HIDDEN)
        state[f"{at}.self_attention.linear_qkv._extra_state"] = None
        state[f"{at}.pre_mlp_layernorm.weight"] = empty(HIDDEN)
        state[f"{at}.mlp.router.weight"] = empty(EXPERTS, HIDDEN)
        expert = f"{at}.mlp.experts.local_experts.0"
        state[f"{expert}.linear_fc1.weight"] = empty(2 * FFN, HIDDEN)
        state[f"{expert}.linear_fc1._extra_state"] = None
        state[f"{expert}.linear_fc2.weight"] = empty(HIDDEN, FFN)
        state[f"{expert}.linear_fc2._extra_state"] = None
    state["decoder.final_layernorm.weight"] = empty(HIDDEN)
    state["output_layer.weight"] = empty(VOCABULARY, HIDDEN)
    state["output_layer._extra_state"] = None
    return state


root = pathlib.Path(sys.argv[1])
arguments = argparse.Namespace(
    num_layers=LAYERS, hidden_size=HIDDEN, num_attention_heads=32, tensor_model_parallel_size=1,
    pipeline_model_parallel_size=1, expert_model_parallel_size=EXPERTS, num_experts=EXPERTS,
)
for rank in range(EXPERTS):
    folder = root / "iter_0000010" / f"mp_rank_00_{rank:03}"
    folder.mkdir(parents=True, exist_ok=True)
    with torch.serialization.skip_data():
        torch.save({"args": arguments, "checkpoint_version": 3.0, "iteration": 10, "model": model()},
                   folder / "model_optim_rng.pt")
(root / "latest_checkpointed_iteration.txt").write_text("10")
