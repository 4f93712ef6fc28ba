#!/usr/bin/env python3
"""Throughput of `moe-lint convert` against `cp` of the same files.

    convert.py MOE_LINT DIRECTORY [GIGABYTES]

Writes a checkpoint of about that size (4 GB) in format torch below DIRECTORY: two ranks, experts of Mixtral's shape. Then,
three times each: `cp -r` and `sync` of the target, and conversions to a byte-copy layout and to a transposing one, which
make their target durable themselves. Prints the median times as ratios to cp, and the largest resident memory.
"""
import argparse, os, shutil, statistics, subprocess, sys, time

import torch

EXPERTS, HIDDEN, FFN = 2, 4096, 14336


def write(root, gigabytes):
    for rank in range(2):
        folder = os.path.join(root, "iter_0000010", f"mp_rank_00_{rank:03}")
        os.makedirs(folder)
        layer, size = 0, 0
        model = {}
        while size < gigabytes * 1e9 / 2:
            names = f"decoder.layers.{layer}."
            model[names + "self_attention.linear_qkv.weight"] = torch.empty(6144, HIDDEN, dtype=torch.bfloat16).random_(-99, 99)
            for expert in range(EXPERTS):
                for key, shape in (("linear_fc1", (2 * FFN, HIDDEN)), ("linear_fc2", (HIDDEN, FFN))):
                    tensor = torch.empty(*shape, dtype=torch.bfloat16).random_(-99, 99)
                    model[names + f"mlp.experts.local_experts.{expert}.{key}.weight"] = tensor
            layer, size = layer + 1, sum(t.numel() * 2 for t in model.values())
        args = argparse.Namespace(num_experts=2 * EXPERTS, expert_model_parallel_size=2, moe_grouped_gemm=False,
                                  transformer_impl="transformer_engine", moe_use_legacy_grouped_gemm=False)
        torch.save({"args": args, "iteration": 10, "model": model}, os.path.join(folder, "model_optim_rng.pt"))
        del model
    with open(os.path.join(root, "latest_checkpointed_iteration.txt"), "w") as file:
        file.write("10")


def timed(words, after=()):
    start, memory = time.time(), 0
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        # The high-water mark of the program alone: what wait4 tells includes this process before it became the program.
        with open(f"/proc/{process.pid}/status") as status:
            marks = [line.split()[1] for line in status if line.startswith("VmHWM")]
        memory = max([memory] + [int(mark) / 1024 for mark in marks])
        time.sleep(0.01)
    assert process.returncode == 0, words
    for more in after:
        subprocess.run(more, check=True)
    return time.time() - start, memory


def main(program, directory, gigabytes="4"):
    source, target = os.path.join(directory, "source"), os.path.join(directory, "target")
    if not os.path.exists(source):
        write(source, float(gigabytes))
    runs = {
        "cp and sync": (["cp", "-r", source, target], [["sync", "-f", directory]]),
        "sequential -> te-grouped (bytes)": ([program, "convert", source, target, "--experts", "te-grouped"], ()),
        "sequential -> grouped (transposed)": ([program, "convert", source, target, "--experts", "grouped"], ()),
    }
    times = {name: [] for name in runs}
    for _ in range(3):
        for name, (words, after) in runs.items():
            subprocess.run(["sync"], check=True)
            times[name].append(timed(words, after))
            shutil.rmtree(target)
    base = statistics.median(seconds for seconds, _ in times["cp and sync"])
    for name, measured in times.items():
        seconds, memory = statistics.median(s for s, _ in measured), max(m for _, m in measured)
        spread = f"{min(s for s, _ in measured):.1f} to {max(s for s, _ in measured):.1f}"
        print(f"{name}: {seconds:.1f} s ({spread}), {base / seconds:.2f} of cp, {memory:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
