#!/bin/bash
# The founding case with its arguments in a file.

export CUDA_DEVICE_MAX_CONNECTIONS=1
export CHECKPOINT_PATH=${CHECKPOINT_PATH:-tests/cases/issue-924/checkpoints/core_v0.8.0-te1.7-sequential}

torchrun --nproc_per_node 4 pretrain_gpt.py --yaml-cfg tests/cases/yaml-cfg/mixtral.yaml
