#!/bin/bash
# Mixtral, as small as it can be: 4 layers, 8 experts, 2 of them on each of 4 GPUs.

export CUDA_DEVICE_MAX_CONNECTIONS=1

GPUS_PER_NODE=${GPUS_PER_NODE:-4}
MASTER_ADDR=${MASTER_ADDR:-localhost}
MASTER_PORT=${MASTER_PORT:-6000}
NNODES=${NNODES:-1}
NODE_RANK=${NODE_RANK:-0}

CASE=tests/cases/issue-924
CHECKPOINT_PATH=${CHECKPOINT_PATH:-$CASE/checkpoints/core_v0.8.0-te1.7-sequential}

DISTRIBUTED_ARGS=(
    --nproc_per_node $GPUS_PER_NODE
    --nnodes $NNODES
    --node_rank $NODE_RANK
    --master_addr $MASTER_ADDR
    --master_port $MASTER_PORT
)

MODEL_ARGS=(
    --num-layers 4
    --hidden-size 16
    --ffn-hidden-size 24
    --num-attention-heads 4
    --group-query-attention
    --num-query-groups 2
    --seq-length 8
    --max-position-embeddings 8
    --position-embedding-type rope
    --normalization RMSNorm
    --swiglu
    --disable-bias-linear
    --untie-embeddings-and-output-weights
)

MOE_ARGS=(
    --num-experts 8
    --moe-router-topk 2
    --moe-grouped-gemm
    --expert-model-parallel-size 4
)

DATA_ARGS=(
    --tokenizer-type NullTokenizer
    --vocab-size 100
    --mock-data
)

TRAINING_ARGS=(
    --micro-batch-size 1
    --train-iters 10
    --lr 1e-4
    --bf16
)

CHECKPOINT_ARGS=(
    --load "$CHECKPOINT_PATH"
    --no-load-optim
    --no-load-rng
)

torchrun ${DISTRIBUTED_ARGS[@]} pretrain_gpt.py \
    ${MODEL_ARGS[@]} \
    ${MOE_ARGS[@]} \
    ${DATA_ARGS[@]} \
    ${TRAINING_ARGS[@]} \
    "${CHECKPOINT_ARGS[@]}"
