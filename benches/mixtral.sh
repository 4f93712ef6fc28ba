#!/bin/bash
# Mixtral 8x7B on 8 expert-parallel ranks; measured against the checkpoint that mixtral.py writes.

MODEL_ARGS=(
    --num-layers 32 --hidden-size 4096 --ffn-hidden-size 14336 --num-attention-heads 32
    --group-query-attention --num-query-groups 8 --seq-length 4096 --max-position-embeddings 32768
    --position-embedding-type rope --normalization RMSNorm --swiglu --disable-bias-linear
    --untie-embeddings-and-output-weights --bf16 --tokenizer-type NullTokenizer --vocab-size 32000 --mock-data
    --micro-batch-size 1 --train-iters 10 --lr 1e-4
)
MOE_ARGS=( --num-experts 8 --moe-router-topk 2 --expert-model-parallel-size 8 --moe-grouped-gemm )

torchrun --nproc_per_node 8 pretrain_gpt.py ${MODEL_ARGS[@]} ${MOE_ARGS[@]} --load "$CHECKPOINT" --no-load-optim --no-load-rng
