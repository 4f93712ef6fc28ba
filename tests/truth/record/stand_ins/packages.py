"""Optional packages that count by their presence alone: apex, grouped_gemm, flash-attn, fla."""

from . import inert

METADATA = {"flash-attn": "2.5.8", "grouped_gemm": "1.1.4"}

_APEX = ("apex", "amp_C", "fused_layer_norm_cuda", "fused_weight_gradient_mlp_cuda",
         "scaled_masked_softmax_cuda", "scaled_softmax_cuda", "scaled_upper_triang_masked_softmax_cuda",
         "fused_rotary_positional_embedding", "fast_layer_norm")
_GROUPED_GEMM = ("grouped_gemm", "grouped_gemm_backend")
_FLASH_ATTN = ("flash_attn", "flash_attn_2_cuda")
_FLA = ("fla",)
_ABSENT = ("modelopt", "nvidia_resiliency_ext", "tensorboard", "wandb", "zarr", "tensorstore", "mamba_ssm",
           "causal_conv1d", "deep_ep", "megatron_fsdp", "flashattn_hopper", "flash_attn_3", "transformers",
           "fused_indices_converter")


def install(apex=True):
    """Provide the stubs; without apex, refuse it as an absent package would be."""
    answers = {name: {"__version__": version} for name, version in
               (("flash_attn", METADATA["flash-attn"]), ("grouped_gemm", METADATA["grouped_gemm"]))}
    if apex:
        inert.provide(_APEX, answers)
    else:
        inert.refuse(_APEX)
    inert.provide(_GROUPED_GEMM + _FLASH_ATTN + _FLA, answers)
    inert.refuse(_ABSENT)
